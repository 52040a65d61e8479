import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Controls, readControls } from './controls.ts';
import type { AppDeps } from './deps.ts';
import { readEdit } from './edits.ts';
import { fingerprint } from './fingerprint.ts';
import { type ImageWire, readImageWire } from './image-wire.ts';
import { answerImages, type ImageDeps } from './images.ts';
import { RequestProblem } from './problem.ts';

interface Understood {
  readonly wire: ImageWire;
  readonly controls: Controls;
  readonly fileHashes?: readonly string[];
}

/** The handlers of `/v1/images/*`. */
export function imageRoutes(deps: AppDeps) {
  const { config, assets, fetchImage } = deps;
  const imageDeps: ImageDeps = deps;

  function controlsOf(request: FastifyRequest, wire: ImageWire): Controls {
    return readControls(request.headers, wire.controlsBody, { fromBrowser: request.fromBrowser });
  }

  function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    { wire, controls, fileHashes = [] }: Understood,
  ): Promise<FastifyReply> {
    const submission = {
      caller: request.caller,
      endpoint: request.routeOptions.url ?? request.url,
      requestId: request.id,
      request: wire.request,
      model: wire.model,
      settings: controls.settings,
      fingerprint: fingerprint(wire.canonical, fileHashes),
      attach: controls.attach,
      provenRetry: controls.retriedByClient,
      idempotencyKey: controls.idempotencyKey,
    };
    return answerImages(
      { submission, form: wire.responseFormat, onDisconnect: controls.onDisconnect },
      reply,
      imageDeps,
    );
  }

  return {
    generate: (request: FastifyRequest, reply: FastifyReply) => {
      const wire = readImageWire('generate', request.body);
      return answer(request, reply, { wire, controls: controlsOf(request, wire) });
    },
    edit: async (request: FastifyRequest, reply: FastifyReply) => {
      const { bodyLimitBytes } = config;
      const controlled = (wire: ImageWire) => controlsOf(request, wire);
      const edit = await readEdit(request, { assets, fetchImage, bodyLimitBytes, controlsOf: controlled });
      return answer(request, reply, { wire: edit, controls: edit.controls, fileHashes: edit.fileHashes });
    },
    variations: () => {
      throw new RequestProblem(404, 'not_found', VARIATIONS);
    },
  };
}

const VARIATIONS =
  'POST /v1/images/variations: the provider retired image variations in 2026; use /v1/images/edits with the picture and a prompt';
