import type { Capabilities } from '../capabilities.ts';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import type { Operation } from '../request.ts';

/**
 * A ComfyUI graph in API format in which `{{name}}` or `{{name|default}}` stands where the request belongs. A string
 * that is one placeholder and nothing else becomes the value itself, a number where it is one; inside a longer string it
 * becomes text. `image_1` to `image_16` and `mask` are the names of uploaded files, as LoadImage and LoadImageMask take
 * them (white is edited: read the mask's red channel). A name of the workflow's own needs a default; the field of that
 * name in a request replaces it.
 */
export interface Workflow {
  readonly graph: JsonObject;
  readonly inputs: ReadonlyMap<string, WorkflowInput>;
}

export interface WorkflowInput {
  /** Written without a default somewhere: without a value there is no picture. */
  readonly required: boolean;
  readonly preset?: JsonValue;
}

export const MAX_WORKFLOW_IMAGES = 16;
/** A graph nested deeper is not one that ComfyUI writes. */
const MAX_DEPTH = 32;
/** What always has a value, besides `image_1`… and `mask`. */
const KNOWN = ['prompt', 'negative_prompt', 'seed', 'width', 'height', 'batch_size', 'checkpoint'] as const;

/** Where neither the request nor the workflow says; an empty text for anything else. */
const FALLBACKS: ReadonlyMap<string, string> = new Map([
  ['width', '1024'],
  ['height', '1024'],
  // The one that ComfyUI's own first workflow names.
  ['checkpoint', 'v1-5-pruned-emaonly-fp16.safetensors'],
]);

const PLACEHOLDER = /\{\{\s*([a-z][a-z0-9_]*)\s*(?:\|([^{}]*))?\}\}/g;
const WHOLE = /^\{\{\s*([a-z][a-z0-9_]*)\s*(?:\|([^{}]*))?\}\}$/;
const SUSPECT = /\{\{([^{}]*)\}\}/g;
const NUMBER = /^-?\d+(?:\.\d+)?$/;

/** A workflow, or what is wrong with it in words that end the sentence "expected …". */
export type ReadWorkflow = { readonly workflow: Workflow } | { readonly expected: string; readonly got: string };

/** Reads a parsed file as ComfyUI's "Export (API)" writes it. */
export function readWorkflow(graph: unknown): ReadWorkflow {
  if (!isObject(graph)) return { expected: 'a workflow in API format', got: 'no JSON object' };
  if (Array.isArray(graph.nodes)) {
    return {
      expected: 'a workflow in API format (in ComfyUI: Workflow, Export (API))',
      got: "the editor's own format",
    };
  }
  const nodes = Object.entries(graph);
  const odd = nodes.find(
    ([, node]) => !isObject(node) || typeof node.class_type !== 'string' || !isObject(node.inputs),
  );
  if (odd !== undefined || nodes.length === 0) {
    const got = odd === undefined ? 'no node' : `"${odd[0].slice(0, 50)}" without a class_type and inputs`;
    return { expected: 'a workflow in API format, a map of nodes', got };
  }
  const texts = textsIn(graph, 0);
  if (texts === undefined) return { expected: `a workflow nested at most ${MAX_DEPTH} levels deep`, got: 'more' };
  const inputs = new Map<string, WorkflowInput>();
  for (const text of texts) {
    for (const [written, inside = ''] of text.matchAll(SUSPECT)) {
      const [, name, preset] = WHOLE.exec(written) ?? [];
      if (name === undefined || (preset === undefined && !isKnown(name))) return unknownPlaceholder(inside);
      const before = inputs.get(name);
      const required = preset === undefined || before?.required === true;
      inputs.set(name, { ...before, required, ...(preset !== undefined && { preset: typed(preset) }) });
    }
  }
  if (!inputs.has('prompt')) return { expected: 'a workflow with {{prompt}} where the prompt belongs', got: 'none' };
  return { workflow: { graph, inputs } };
}

function unknownPlaceholder(inside: string): ReadWorkflow {
  const known = [...KNOWN, `image_1 to image_${MAX_WORKFLOW_IMAGES}`, 'mask'].join(', ');
  return {
    expected: `placeholders named ${known}, or one with a default such as {{steps|20}}`,
    got: `{{${inside.slice(0, 50)}}}`,
  };
}

function isKnown(name: string): boolean {
  return KNOWN.some((known) => known === name) || name === 'mask' || imageNumber(name) !== undefined;
}

function imageNumber(name: string): number | undefined {
  const [, digits] = /^image_([1-9]\d?)$/.exec(name) ?? [];
  return digits !== undefined && Number(digits) <= MAX_WORKFLOW_IMAGES ? Number(digits) : undefined;
}

/** Undefined where it is nested too deep. */
function textsIn(value: JsonValue | undefined, depth: number): readonly string[] | undefined {
  if (depth > MAX_DEPTH) return undefined;
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  const texts: string[] = [];
  for (const inner of Object.values(value)) {
    const found = textsIn(inner, depth + 1);
    if (found === undefined) return undefined;
    texts.push(...found);
  }
  return texts;
}

/** The graph with values in place of its placeholders. What a value itself holds is not looked at again. */
export function filledWorkflow({ graph }: Workflow, values: Readonly<Record<string, JsonValue>>): JsonObject {
  const settled = (name: string, preset: string | undefined): JsonValue =>
    (Object.hasOwn(values, name) ? values[name] : undefined) ?? typed(preset ?? FALLBACKS.get(name) ?? '');
  const fill = (value: JsonValue | undefined): JsonValue => {
    if (typeof value === 'string') {
      const [, name, preset] = WHOLE.exec(value) ?? [];
      if (name !== undefined) return settled(name, preset);
      return value.replaceAll(PLACEHOLDER, (_, inner: string, given?: string) => String(settled(inner, given)));
    }
    if (Array.isArray(value)) return value.map(fill);
    return isObject(value) ? fillObject(value) : (value ?? null);
  };
  const fillObject = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fill(value)]));
  return fillObject(graph);
}

function typed(preset: string): JsonValue {
  if (preset === 'true' || preset === 'false') return preset === 'true';
  return NUMBER.test(preset) ? Number(preset) : preset;
}

/** Values of a request's own fields for the workflow's own names: of the kind that their default is. */
export function ownValues({ inputs }: Workflow, extra: JsonObject): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(extra).flatMap(([name, value]): [string, JsonValue][] => {
      const input = inputs.get(name);
      const isOpen = input !== undefined && (!isKnown(name) || name === 'checkpoint');
      if (!isOpen || value === undefined || typeof value !== typeof (input.preset ?? '')) return [];
      return [[name, value]];
    }),
  );
}

const MAX_SIDE = 4096;
/** A batch is drawn at once and needs the memory of all its pictures. */
const MAX_BATCH = 4;

/** What a request can tell this workflow: only what it has a placeholder for. */
export function workflowAbilities({ inputs }: Workflow): {
  readonly operations: readonly Operation[];
  readonly maxImagesPerCall: number;
  readonly capabilities: Capabilities;
} {
  const images = Math.max(0, ...[...inputs.keys()].map((name) => imageNumber(name) ?? 0));
  const needsImage = [...inputs].some(([name, { required }]) => required && (name === 'mask' || imageNumber(name)));
  const operations: Operation[] = [
    ...(needsImage ? [] : ['generate' as const]),
    ...(images > 0 ? ['edit' as const] : []),
  ];
  const sized = inputs.has('width') && inputs.has('height');
  return {
    operations,
    maxImagesPerCall: inputs.has('batch_size') ? MAX_BATCH : 1,
    capabilities: {
      size: sized ? { kind: 'pixels', multipleOf: 8, minSide: 64, maxSide: MAX_SIDE, auto: true } : { kind: 'fixed' },
      ...(inputs.has('seed') && { maxSeed: Number.MAX_SAFE_INTEGER }),
      ...(inputs.has('negative_prompt') && { negativePrompt: true as const }),
      ...(images > 0 && { references: { max: images, as: 'inline' as const } }),
      ...(inputs.has('mask') && { mask: 'white' as const }),
    },
  };
}

/** The graph that ComfyUI itself starts with: a checkpoint, two prompts, a sampler, a picture. */
export const TEXT_TO_IMAGE: JsonObject = {
  '3': {
    class_type: 'KSampler',
    inputs: {
      ...{ seed: '{{seed}}', steps: '{{steps|20}}', cfg: '{{cfg|7}}', denoise: 1 },
      ...{ sampler_name: '{{sampler_name|euler}}', scheduler: '{{scheduler|normal}}' },
      ...{ model: ['4', 0], positive: ['6', 0], negative: ['7', 0], latent_image: ['5', 0] },
    },
  },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: '{{checkpoint}}' } },
  '5': {
    class_type: 'EmptyLatentImage',
    inputs: { width: '{{width|512}}', height: '{{height|512}}', batch_size: '{{batch_size}}' },
  },
  '6': { class_type: 'CLIPTextEncode', inputs: { text: '{{prompt}}', clip: ['4', 1] } },
  '7': { class_type: 'CLIPTextEncode', inputs: { text: '{{negative_prompt}}', clip: ['4', 1] } },
  '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  '9': { class_type: 'SaveImage', inputs: { filename_prefix: 'onetake', images: ['8', 0] } },
};
