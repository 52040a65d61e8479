import {
  type Catalogue,
  foldGeneration,
  type ImageRequest,
  type JsonValue,
  modelOf,
  type PictureSource,
  type Plan,
  splitTarget,
} from '@onetake/core';
import type { Store, StoredGeneration } from '../store/store.ts';
import { type ImageWire, objectBody, readImageWire } from './image-wire.ts';
import { type Asker, readOwnPictures } from './own-generation.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface VariationOptions {
  readonly operation: 'variation' | 'upscale';
  readonly asker: Asker;
  readonly store: Pick<Store, 'read'>;
  readonly catalogue: Catalogue;
}

/**
 * Reads `{"generation": "gen_…", "index": 1}` with the fields of a generation beside it: another picture from one that
 * the caller had made here, at the provider that made it and still has it. Throws a 4xx where that cannot be done.
 */
export async function readVariation(body: unknown, options: VariationOptions): Promise<ImageWire> {
  const { operation, asker, store, catalogue } = options;
  const { generation: id, index: asked, prompt, ...rest } = objectBody(body);
  const names = { generation: readId(id), index: readIndex(asked) };
  if (prompt !== undefined && prompt !== null) throw invalidValue('prompt', PROMPT);
  const stored = await readOwnPictures(store, names.generation, asker, 'generation');
  const wire = readImageWire(operation, { ...rest, prompt: stored.plan.request.prompt });
  if (operation === 'upscale' && wire.request.n > 1) throw invalidValue('n', UPSCALES);
  const source = sourceOf(stored, names.index);
  checkModel(wire.model, source, stored);
  checkOperation(operation, source, catalogue);
  return { ...wire, request: { ...wire.request, source }, canonical: { ...wire.canonical, ...names } };
}

const INSTEAD = 'send the picture itself to /v1/images/edits with a prompt';
const PROMPT = `it is that of the picture's own generation; leave it out, or ${INSTEAD}`;
const UPSCALES = 'an upscale makes one picture of one; leave it out';
const MAX_INDEX = 100;

function readId(value: JsonValue | undefined): string {
  if (typeof value === 'string' && value !== '') return value;
  const message = 'generation: it is missing or no text; send the "id" of a generation, as "gen_…"';
  throw new RequestProblem(400, 'missing_required_parameter', message, { param: 'generation' });
}

function readIndex(value: JsonValue | undefined): number {
  if (value === undefined || value === null) return 1;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_INDEX) return value;
  throw invalidValue('index', `it is not a whole number from 1 to ${MAX_INDEX}; the first picture is 1`);
}

/** Counts through the pictures as they were handed over; one file may show several. */
function sourceOf(stored: StoredGeneration<Plan>, index: number): PictureSource {
  const { runs, outcome } = foldGeneration(stored.journals);
  if (outcome === undefined) throw invalidValue('generation', `${stored.id} is still being made; wait for its end`);
  let counted = 0;
  for (const { attempts, finished } of runs) {
    const attempt = attempts.findLast((one) => one.outcome?.ok);
    let next = 1;
    for (const { pictures = 1, place = next } of finished?.ok ? finished.images : []) {
      if (index <= counted + pictures && attempt) return toSource(attempt, place + index - counted - 1);
      counted += pictures;
      next = place + pictures;
    }
  }
  throw invalidValue('index', counted === 0 ? `${stored.id} made no picture` : `${stored.id} has ${counted} pictures`);
}

type Attempt = ReturnType<typeof foldGeneration>['runs'][number]['attempts'][number];

function toSource({ target, credential, handle }: Attempt, index: number): PictureSource {
  if (handle === undefined) {
    const message = `generation: ${target} answered at once and keeps no job to go on from; ${INSTEAD}`;
    throw new RequestProblem(400, 'capability_missing', message, { param: 'generation' });
  }
  return { target, handle, index, ...(credential !== undefined && { credential }) };
}

/** It may be named, by any name that means the one that made the picture. */
function checkModel(model: string | undefined, { target }: PictureSource, { plan }: StoredGeneration): void {
  if (model === undefined || [target, splitTarget(target).model, plan.route].includes(model)) return;
  throw invalidValue('model', `the picture was made by ${target}, and only that has it; leave it out, or ${INSTEAD}`);
}

function checkOperation(operation: ImageRequest['operation'], { target }: PictureSource, catalogue: Catalogue): void {
  const model = modelOf(target, catalogue);
  // Whom nobody knows any more is told of where the plan is made.
  if (model === undefined || model.operations.includes(operation)) return;
  const message = `model: ${target} makes no ${operation}s of its pictures; ${INSTEAD}`;
  throw new RequestProblem(400, 'capability_missing', message, { param: 'model' });
}
