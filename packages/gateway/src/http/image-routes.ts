import { type AssetStore, type Catalogue, isObject, type JsonObject } from '@onetake/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FetchImage } from '../assets/download.ts';
import type { Config } from '../config.ts';
import type { Store, Webhook } from '../store/store.ts';
import type { Submission } from '../tasks/generations.ts';
import { readTraceContext } from '../tracing/trace-context.ts';
import { readWebhook } from '../webhooks/request.ts';
import { checkModelAllowed } from './allowed-models.ts';
import { type AskedCandidates, takeCandidates } from './candidates-wire.ts';
import { type Controls, readControls } from './controls.ts';
import { readEdit } from './edits.ts';
import { fingerprint } from './fingerprint.ts';
import { type ImageWire, readImageWire } from './image-wire.ts';
import { answerImages, type HandOver, type ImageCall, type ImageDeps } from './images.ts';
import { type Preferences, readPrefer } from './prefer.ts';
import { RequestProblem } from './problem.ts';
import { type Regeneration, readRegeneration } from './regenerate.ts';
import { readVariation } from './variations.ts';

export interface ImageRouteDeps extends ImageDeps {
  readonly config: Pick<Config, 'bodyLimitBytes' | 'webhooks'>;
  readonly assets: ImageDeps['assets'] & AssetStore;
  readonly fetchImage: FetchImage;
  readonly store: Pick<Store, 'read'>;
  readonly catalogue: Catalogue;
  /** Makes several of which one is picked. */
  readonly candidates: (call: ImageCall, asked: AskedCandidates, reply: FastifyReply) => Promise<FastifyReply>;
}

interface Understood {
  readonly wire: ImageWire;
  readonly controls: Controls;
  readonly fileHashes?: readonly string[];
  /** The generation that it repeats. */
  readonly regeneratedFrom?: string;
  /** The model it asks for; undefined where it goes on from an earlier generation, whose model was allowed then. */
  readonly model: string | undefined;
}

/** The request and the candidates it asks for; throws a 403 for what its caller may not ask for. */
export function takeAllowed(
  { key, fromBrowser }: Pick<FastifyRequest, 'key' | 'fromBrowser'>,
  given: Pick<Understood, 'wire' | 'model'>,
): ReturnType<typeof takeCandidates> {
  const taken = takeCandidates(given.wire);
  for (const { model } of [given, ...(taken.asked?.members ?? [])]) checkModelAllowed(key, model);
  if (taken.asked && fromBrowser) throw new RequestProblem(403, 'forbidden_control', FROM_BROWSER);
  return taken;
}

/** A result that may differ from what was asked for is none for a request that allows no difference. */
function identityOf({ canonical }: ImageWire, { settings }: Controls): JsonObject {
  return {
    ...canonical,
    ...(settings.strict && { strict: true }),
    ...(settings.aliases === false && { aliases: false }),
  };
}

function submissionOf(request: FastifyRequest, understood: Understood): Omit<Submission, 'asTask' | 'webhook'> {
  const { wire, controls, fileHashes = [], regeneratedFrom } = understood;
  const trace = readTraceContext(request.headers);
  return {
    caller: request.caller,
    endpoint: request.routeOptions.url ?? request.url,
    requestId: request.id,
    request: wire.request,
    model: wire.model,
    settings: controls.settings,
    fingerprint: fingerprint(identityOf(wire, controls), fileHashes),
    attach: controls.attach,
    provenRetry: controls.retriedByClient,
    idempotencyKey: controls.idempotencyKey,
    priority: controls.priority,
    ...(controls.cache && { cache: controls.cache }),
    ...(regeneratedFrom !== undefined && { regeneratedFrom }),
    ...(trace && { trace }),
  };
}

/** The handlers of `/v1/images/*`, and the one that makes a task of the same requests. */
export function imageRoutes(deps: ImageRouteDeps) {
  const { config, assets, fetchImage, store, catalogue } = deps;

  function controlsOf(request: FastifyRequest, wire: ImageWire): Controls {
    const { controlsBody } = takeCandidates(wire).wire;
    return readControls(request.headers, controlsBody, { fromBrowser: request.fromBrowser });
  }

  function answer(request: FastifyRequest, reply: FastifyReply, given: Understood, alwaysTask: boolean) {
    const { wire, asked } = takeAllowed(request, given);
    const understood = { ...given, wire };
    const preferences = readPrefer(request.headers.prefer);
    const asTask = alwaysTask || preferences.respondAsync || preferences.waitSeconds !== undefined;
    const webhook = webhookOf(config, understood.controls, { caller: request.caller, asTask });
    const submission = { ...submissionOf(request, understood), asTask, ...(webhook && { webhook }) };
    const { responseFormat: form } = understood.wire;
    const { onDisconnect, degrade } = understood.controls;
    const call = { submission, form, onDisconnect, degrade, handOver: handOver(preferences, alwaysTask) };
    return asked ? deps.candidates(call, asked, reply) : answerImages(call, reply, deps);
  }

  function generate(request: FastifyRequest, reply: FastifyReply, alwaysTask: boolean) {
    const wire = readImageWire('generate', request.body);
    const model = wire.model ?? catalogue.defaultModel;
    return answer(request, reply, { wire, model, controls: controlsOf(request, wire) }, alwaysTask);
  }

  async function edit(request: FastifyRequest, reply: FastifyReply, alwaysTask: boolean) {
    const { bodyLimitBytes } = config;
    // Also before anything is fetched or kept.
    const controlled = (wire: ImageWire) => {
      checkModelAllowed(request.key, wire.model ?? catalogue.defaultModel);
      return controlsOf(request, wire);
    };
    const read = await readEdit(request, { assets, fetchImage, bodyLimitBytes, controlsOf: controlled });
    const { controls, fileHashes, model = catalogue.defaultModel } = read;
    return answer(request, reply, { wire: read, model, controls, fileHashes }, alwaysTask);
  }

  async function goOn(operation: 'variation' | 'upscale', request: FastifyRequest, reply: FastifyReply) {
    const wire = await readVariation(request.body, { operation, asker: request, store, catalogue });
    return answer(request, reply, { wire, model: wire.model, controls: controlsOf(request, wire) }, false);
  }

  async function regenerate(request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply) {
    const { id } = request.params;
    const read = await readRegeneration(request.body, { id, asker: request, store, assets });
    const controls = withInherited(controlsOf(request, read.wire), read, request);
    const { wire, regeneratedFrom, named: model } = read;
    return answer(request, reply, { wire, model, controls, regeneratedFrom }, false);
  }

  return {
    regenerate,
    generate: (request: FastifyRequest, reply: FastifyReply) => generate(request, reply, false),
    edit: (request: FastifyRequest, reply: FastifyReply) => edit(request, reply, false),
    variations: (request: FastifyRequest, reply: FastifyReply) => {
      // The call that is retired is a form with a picture in it.
      if (request.isMultipart()) throw new RequestProblem(404, 'not_found', VARIATIONS);
      return goOn('variation', request, reply);
    },
    upscales: (request: FastifyRequest, reply: FastifyReply) => goOn('upscale', request, reply),
    /** `POST /v1/tasks`: an edit where there are pictures to work from, else a generation. */
    task: (request: FastifyRequest, reply: FastifyReply) => {
      return request.isMultipart() || refersToPictures(request.body)
        ? edit(request, reply, true)
        : generate(request, reply, true);
    },
  };
}

/** Who waits for the answer has no use for what is configured for tasks; what the request itself asks for counts. */
function webhookOf(
  { webhooks: { allowPrivate, callers } }: ImageRouteDeps['config'],
  { webhook }: Controls,
  { caller, asTask }: Pick<Submission, 'caller' | 'asTask'>,
): Webhook | undefined {
  return readWebhook(webhook, { allowPrivate, configured: asTask || webhook.events ? callers[caller] : undefined });
}

/** A page of another origin may not pay as a server was allowed to. */
function withInherited(controls: Controls, before: Regeneration, { fromBrowser }: FastifyRequest): Controls {
  const { settings } = controls;
  const mayPayMore = fromBrowser && before.settings.payment !== 'strict';
  const inherited = settings.payment || mayPayMore ? {} : before.settings;
  return { ...controls, settings: { ...inherited, ...settings } };
}

function refersToPictures(body: unknown): boolean {
  const isGiven = (value: unknown) => value !== undefined && value !== null;
  return isObject(body) && [body.image, body.images, body.mask].some(isGiven);
}

function handOver({ respondAsync, waitSeconds }: Preferences, alwaysTask: boolean): HandOver {
  const applied = [
    ...(respondAsync || waitSeconds === undefined ? ['respond-async'] : []),
    ...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`]),
  ];
  const waitMs = waitSeconds === undefined ? undefined : waitSeconds * 1000;
  return { waitMs, applied: applied.join(', '), alwaysTask };
}

const FROM_BROWSER =
  'candidates: a page in a browser may not ask for several to pick from; call from a server, or ask for one picture';
const VARIATIONS =
  'POST /v1/images/variations: the provider retired image variations in 2026; use /v1/images/edits with the picture and a prompt, or name a picture made here as JSON';
