import { useQuery } from '@tanstack/react-query';
import { ApiError, call, json } from './client.ts';
import { eventsOf } from './event-stream.ts';
import type { AdaptedField } from './generations.ts';

/** The JSON of `POST /v1/images/generations`. */
export interface PictureBody {
  readonly prompt: string;
  readonly model?: string;
  readonly n?: number;
  readonly [field: string]: unknown;
}

export interface Estimate {
  readonly route: string;
  readonly target: string | null;
  readonly fallbacks: readonly string[];
  readonly images: number;
  readonly calls: number;
  readonly usd: number | null;
  readonly basis: string;
  readonly adapted?: readonly AdaptedField[];
  readonly passed_over?: readonly { readonly target: string; readonly reason: string }[];
  readonly warnings?: readonly unknown[];
}

/** What a request would cost and become; asked again when its JSON is another one. */
export function useEstimate(body: PictureBody | undefined, references: number) {
  const asked = body && {
    ...body,
    operation: references > 0 ? 'edit' : 'generate',
    ...(references > 0 && { reference_images: references }),
  };
  return useQuery({
    queryKey: ['estimate', JSON.stringify(asked)],
    queryFn: ({ signal }) => json<Estimate>('/v1/estimates', { method: 'POST', body: asked, signal }),
    enabled: asked !== undefined,
    staleTime: 30_000,
    retry: false,
  });
}

export interface Sending {
  readonly body: PictureBody;
  readonly references: readonly File[];
  /** The same for every repetition of one press. */
  readonly idempotencyKey: string;
  readonly signal?: AbortSignal;
}

/** What came back at once: a generation to look at, or a set of candidates. */
export type Sent =
  | { readonly kind: 'generation'; readonly id: string }
  | { readonly kind: 'candidates'; readonly id: string };

/** Sends as a task: the answer is its id, and what becomes of it is looked at there. */
export async function sendAsTask(sending: Sending): Promise<Sent> {
  const response = await call(pathOf(sending), {
    ...requestOf(sending, { response_format: 'url' }),
    headers: { 'idempotency-key': sending.idempotencyKey, prefer: 'respond-async' },
  });
  const { id, object } = (await response.json()) as { readonly id: string; readonly object: string };
  return { kind: object === 'image.candidates' ? 'candidates' : 'generation', id };
}

/** What is shown of a picture before it is done. */
export interface Preview {
  readonly index: number;
  /** A `data:` URL. */
  readonly source: string;
}

/** Sends as a stream; `onGeneration` hears the id as soon as it is known. Resolves with it when the stream has ended well. */
export async function sendAsStream(
  sending: Sending,
  hear: { readonly onGeneration: (id: string) => void; readonly onPreview: (preview: Preview) => void },
): Promise<Sent> {
  const response = await call(pathOf(sending), {
    ...requestOf(sending, { stream: true, partial_images: 3 }),
    headers: { 'idempotency-key': sending.idempotencyKey },
  });
  const id = response.headers.get('x-onetake-generation') ?? '';
  if (id !== '') hear.onGeneration(id);
  for await (const { event, data } of eventsOf(response)) {
    const told = JSON.parse(data) as StreamEvent;
    if (event.endsWith('.partial_image') && told.b64_json !== undefined)
      hear.onPreview({ index: told.partial_image_index ?? 0, source: sourceOf(told) });
    if (told.error !== undefined || event === 'error') throw new ApiError(response.status, told);
  }
  return { kind: 'generation', id };
}

interface StreamEvent {
  readonly b64_json?: string;
  readonly partial_image_index?: number;
  readonly output_format?: string;
  readonly error?: { readonly message?: string; readonly code?: string };
  readonly onetake?: { readonly advice?: string; readonly generation?: string };
}

function sourceOf({ b64_json: base64 = '', output_format: format = 'png' }: StreamEvent): string {
  return `data:image/${format};base64,${base64}`;
}

function pathOf({ references }: Sending): string {
  return references.length > 0 ? '/v1/images/edits' : '/v1/images/generations';
}

function requestOf({ body, references, signal }: Sending, more: Readonly<Record<string, unknown>>) {
  const fields = { ...body, ...more };
  return {
    method: 'POST',
    body: references.length > 0 ? formOf(fields, references) : fields,
    ...(signal && { signal }),
  } as const;
}

/** A form has texts alone; what is an object goes as its JSON. */
function formOf(fields: Readonly<Record<string, unknown>>, references: readonly File[]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    form.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  for (const file of references) form.append('image[]', file, file.name);
  return form;
}
