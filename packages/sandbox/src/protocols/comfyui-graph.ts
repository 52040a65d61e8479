import { RefusedError } from '../wire/answer.ts';

type Node = { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>> };
export type Graph = Readonly<Record<string, Node>>;

/** What a graph orders. */
export interface GraphOrder {
  readonly checkpoint: string;
  readonly prompt: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly batch: number;
  /** Names of uploaded files. */
  readonly files: readonly string[];
  /** The nodes that give pictures out. */
  readonly outputs: readonly { readonly id: string; readonly saved: boolean }[];
}

export const CHECKPOINTS = ['v1-5-pruned-emaonly-fp16.safetensors', 'sd_xl_base_1.0.safetensors'] as const;
const SAVING = 'SaveImage';
const CLASSES = new Set([
  ...['KSampler', 'CheckpointLoaderSimple', 'EmptyLatentImage', 'CLIPTextEncode', 'VAEDecode', SAVING, 'PreviewImage'],
  ...['LoadImage', 'LoadImageMask', 'VAEEncode', 'VAEEncodeForInpaint', 'SetLatentNoiseMask', 'ImageScale'],
]);
/** By input: least, most. */
const NUMBERS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['seed', [0, 2 ** 64]],
  ['steps', [1, 10_000]],
  ['cfg', [0, 100]],
  ['denoise', [0, 1]],
  ['width', [16, 16_384]],
  ['height', [16, 16_384]],
  ['batch_size', [1, 4096]],
]);

/** Reads a graph in API format as ComfyUI validates it; throws an `invalid` refusal in its terms. */
export function readGraph(value: unknown, isUploaded: (name: string) => boolean): GraphOrder {
  const graph = nodesOf(value);
  const nodes = Object.entries(graph);
  for (const [id, node] of nodes) {
    if (!CLASSES.has(node.class_type)) {
      throw invalid('invalid_prompt', `Cannot execute because node ${node.class_type} does not exist.`);
    }
    checkInputs(id, node, graph, isUploaded);
  }
  const outputs = nodes
    .filter(([, { class_type }]) => class_type === SAVING || class_type === 'PreviewImage')
    .map(([id, { class_type }]) => ({ id, saved: class_type === SAVING }));
  if (outputs.length === 0) throw invalid('prompt_no_outputs', 'Prompt has no outputs');
  const input = (kind: string, name: string) =>
    nodes.find(([, { class_type }]) => class_type === kind)?.[1].inputs[name];
  return {
    checkpoint: String(input('CheckpointLoaderSimple', 'ckpt_name') ?? CHECKPOINTS[0]),
    prompt: promptOf(graph),
    seed: numberOf(input('KSampler', 'seed'), 0),
    width: numberOf(input('EmptyLatentImage', 'width'), 512),
    height: numberOf(input('EmptyLatentImage', 'height'), 512),
    batch: numberOf(input('EmptyLatentImage', 'batch_size'), 1),
    files: nodes.flatMap(([, { class_type, inputs }]) => (isLoader(class_type) ? [String(inputs.image)] : [])),
    outputs,
  };
}

function nodesOf(value: unknown): Graph {
  if (value === undefined) throw invalid('no_prompt', 'No prompt provided');
  const nodes = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  for (const [id, node] of nodes) {
    const { class_type: kind, inputs } = (node ?? {}) as Partial<Node>;
    if (typeof kind !== 'string' || typeof inputs !== 'object' || inputs === null) {
      throw invalid('invalid_prompt', `Cannot execute because a node is missing the class_type property.`, `#${id}`);
    }
  }
  return Object.fromEntries(nodes) as Graph;
}

function checkInputs(id: string, { class_type, inputs }: Node, graph: Graph, isUploaded: (name: string) => boolean) {
  const at = `${id}/${class_type}`;
  for (const [name, value] of Object.entries(inputs)) {
    if (Array.isArray(value) && !Object.hasOwn(graph, String(value[0]))) {
      throw invalid('bad_linked_input', `Bad linked input, node ${value[0]} does not exist`, name, at);
    }
    const bounds = NUMBERS.get(name);
    if (bounds === undefined || Array.isArray(value)) continue;
    const number = typeof value === 'string' && value !== '' ? Number(value) : value;
    if (typeof number !== 'number' || Number.isNaN(number)) {
      throw invalid('invalid_input_type', `Failed to convert an input value to a INT value`, `${name}, ${value}`, at);
    }
    if (number < bounds[0]) {
      throw invalid('value_smaller_than_min', `Value ${number} smaller than min of ${bounds[0]}`, name, at);
    }
    if (number > bounds[1]) {
      throw invalid('value_bigger_than_max', `Value ${number} bigger than max of ${bounds[1]}`, name, at);
    }
  }
  const checkpoint = inputs.ckpt_name;
  if (class_type === 'CheckpointLoaderSimple' && !CHECKPOINTS.some((known) => known === checkpoint)) {
    const details = `ckpt_name: '${checkpoint}' not in ['${CHECKPOINTS.join("', '")}']`;
    throw invalid('value_not_in_list', 'Value not in list', details, at);
  }
  if (isLoader(class_type) && !isUploaded(String(inputs.image))) {
    const details = `image - Invalid image file: ${inputs.image}`;
    throw invalid('custom_validation_failed', 'Custom validation failed for node', details, at);
  }
}

function isLoader(kind: string): boolean {
  return kind === 'LoadImage' || kind === 'LoadImageMask';
}

/** The text behind the sampler's positive input. */
function promptOf(graph: Graph): string {
  const sampler = Object.values(graph).find(({ class_type }) => class_type === 'KSampler');
  const link: unknown = sampler?.inputs.positive;
  const text = Array.isArray(link) ? graph[String(link[0])]?.inputs.text : undefined;
  return typeof text === 'string' && text !== '' ? text : ' ';
}

function numberOf(value: unknown, otherwise: number): number {
  const number = Number(value ?? otherwise);
  return Number.isFinite(number) ? number : otherwise;
}

/** `at` is `<node>/<class>`, where one node is to blame. */
function invalid(code: string, message: string, details = '', at?: string): RefusedError {
  const said = details === '' ? message : `${message}\n${details}`;
  return new RefusedError({
    status: 400,
    reason: 'invalid',
    code,
    message: said,
    ...(at !== undefined && { param: at }),
  });
}
