import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { call } from './call.ts';
import type { Reached } from './reach.ts';

/** How a picture was really made, as the gateway's journal has it. */
export interface Effective {
  readonly request?: JsonObject;
  readonly adapted: readonly JsonObject[];
  readonly providerRequestId?: string;
  readonly regeneratedFrom?: string;
}

const TIMEOUT_MS = 10_000;

/** Of each picture of a generation, in order; empty where the gateway does not say, as the pictures are there anyway. */
export async function readEffective(
  gateway: Reached,
  generation: string,
  signal: AbortSignal,
): Promise<readonly Effective[]> {
  const view = await readGenerationView(gateway, generation, signal).catch(() => undefined);
  const sent = listOf(view?.sent);
  return listOf(view?.images).map((image) => effectiveOf(sent[Number(image?.sent)], view ?? {}));
}

/** `GET /v1/generations/{id}`; undefined where there is none. Rejects when no answer came. */
export async function readGenerationView(
  gateway: Reached,
  generation: string,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const url = `${gateway.url}/v1/generations/${encodeURIComponent(generation)}`;
  const { status, body } = await call(url, { headers: gateway.headers, timeoutMs: TIMEOUT_MS, signal });
  return status === 200 ? body : undefined;
}

function effectiveOf(sent: JsonObject | undefined, view: JsonObject): Effective {
  const { provider_request_id: requestId, request } = sent ?? {};
  const { regenerated_from: regeneratedFrom } = view;
  return {
    ...(isObject(request) && { request }),
    adapted: listOf(view.adapted).filter((one) => one !== undefined),
    ...(typeof requestId === 'string' && { providerRequestId: requestId }),
    ...(typeof regeneratedFrom === 'string' && { regeneratedFrom }),
  };
}

/** Keeps the places of what is none. */
function listOf(value: JsonValue | undefined): readonly (JsonObject | undefined)[] {
  return Array.isArray(value) ? value.map((one) => (isObject(one) ? one : undefined)) : [];
}
