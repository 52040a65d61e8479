/** An adapter against the sandbox's imitation of its provider. */
export interface Subject {
  /** Names it in the matrix, and its provider entries. */
  readonly name: string;
  readonly kind: string;
  readonly model: string;
  /** Its line on the bill. */
  readonly bill: string;
  /** Pictures that one request may ask for. */
  readonly most: 1 | 4;
  /** It answers with an id that is looked up. */
  readonly jobs?: true;
  /** Its pictures come as links. */
  readonly links?: true;
  /** How it gives jobs up, and what is known of their bill; absent where it cannot. */
  readonly cancel?: { readonly running: CancelWords; readonly waiting: CancelWords };
  /**
   * It tells by webhook: a look that fails is followed by another 5 s later, unless there is news, and the picture of a
   * job of 4 s whose first look fails is there sooner than this.
   */
  readonly webhookMs?: number;
  /** It bills nothing. */
  readonly free?: true;
  /** What is other than with most, by scenario. */
  readonly differs?: Readonly<Record<string, Partial<Expected>>>;
}

/** `confirmed` by the provider or not; certainty of the failure that the cancellation is. */
export type CancelWords = readonly [cancel: 'confirmed' | 'unconfirmed', certainty: 'rejected' | 'ambiguous'];

/** What the caller is told of a request, and what stands on the provider's bill. */
export interface Expected {
  readonly status: number;
  readonly code?: string;
  readonly kind?: string;
  readonly certainty?: string;
  readonly billed?: 'no' | 'maybe' | 'yes';
  readonly stage?: 'input' | 'output' | undefined;
  /** Pictures that are missing from a 200, each with its reason. */
  readonly missing?: number;
  /** Requests that the provider read in full, and pictures that it charged. */
  readonly requests: number;
  readonly charged: number;
}

const billing = { status: 402, code: 'insufficient_balance', kind: 'billing' } as const;
const uncharged = { certainty: 'rejected', billed: 'no', charged: 0 } as const;

/** Answers at once with the bytes themselves: a picture that is lost on the way cannot be looked up. */
export const SYNCHRONOUS: readonly Subject[] = [
  { name: 'openai', kind: 'openai', model: 'gpt-image-2', bill: 'openai/gpt-image-2', most: 4 },
  { name: 'azure', kind: 'azure', model: 'gpt-image-2', bill: 'azure/gpt-image-2', most: 4 },
  {
    ...{ name: 'stability', kind: 'stability', model: 'core', bill: 'stability/core', most: 1 },
    // Credits are all it has: there is no other quota.
    differs: { quota: billing },
  },
  {
    ...{ name: 'google', kind: 'google', model: 'gemini-3.1-flash-image' },
    ...{ bill: 'google/gemini-3.1-flash-image', most: 1 },
  },
];

/** What they draw is looked up by its id. */
export const JOBS: readonly Subject[] = [
  {
    ...{ name: 'background', kind: 'openai-responses', model: 'gpt-image-2', bill: 'openai/gpt-image-2', most: 1 },
    jobs: true,
    // Whether a canceled response is billed is not documented.
    cancel: { running: ['confirmed', 'ambiguous'], waiting: ['confirmed', 'ambiguous'] },
  },
  {
    ...{ name: 'bfl', kind: 'bfl', model: 'flux-2-pro', bill: 'bfl/flux-2-pro', most: 1, jobs: true, links: true },
    // What is blocked or fails is not charged, says its documentation.
    differs: { quota: billing, 'policy-output': uncharged, failed: { charged: 0 } },
  },
  {
    ...{ name: 'leonardo', kind: 'leonardo', model: 'phoenix-1.0', most: 4, jobs: true, links: true },
    bill: 'leonardo/de7d3faf-762f-48e0-b3b7-9d0ac3a3fcf3',
    differs: { quota: billing, failed: { charged: 0 } },
  },
];

/** Hosts of other people's models. */
export const HOSTS: readonly Subject[] = [
  {
    ...{ name: 'replicate', kind: 'replicate', model: 'black-forest-labs/flux-schnell', most: 4 },
    ...{ bill: 'replicate/black-forest-labs/flux-schnell', jobs: true, links: true, webhookMs: 5_900 },
    cancel: { running: ['confirmed', 'ambiguous'], waiting: ['confirmed', 'rejected'] },
    differs: {
      quota: billing,
      // A block is a failed prediction whose stage is not told, and whether it is billed is not either.
      policy: { certainty: 'failed', billed: 'maybe', stage: undefined },
      'policy-output': { certainty: 'failed', billed: 'maybe', stage: undefined },
    },
  },
  {
    ...{ name: 'fal', kind: 'fal', model: 'fal-ai/flux/schnell', bill: 'fal/fal-ai/flux/schnell', most: 4 },
    // Its picture takes two looks after the news, of which one fails again.
    ...{ jobs: true, links: true, webhookMs: 10_900 },
    cancel: { running: ['unconfirmed', 'ambiguous'], waiting: ['unconfirmed', 'ambiguous'] },
    // It says how many units it bills, so what failed for nothing is repeated for nothing.
    differs: {
      quota: billing,
      failed: { status: 502, certainty: 'rejected', billed: 'no', requests: 5, charged: 0 },
    },
  },
];

export const AGGREGATORS: readonly Subject[] = [
  {
    ...{ name: 'foxapi', kind: 'foxapi', model: 'grok-imagine-image', bill: 'foxapi/grok-imagine-image', most: 4 },
    ...{ jobs: true, links: true },
    // A blocked picture is in a disguise that does not tell what was blocked, and the credits come back.
    differs: { quota: billing, 'policy-output': { ...uncharged, stage: undefined }, failed: { charged: 0 } },
  },
  {
    ...{ name: 'evolink', kind: 'evolink', model: 'gpt-image-2', bill: 'evolink/gpt-image-2', most: 4 },
    ...{ jobs: true, links: true },
    differs: { failed: { charged: 0 } },
  },
  {
    ...{ name: 'midjourney', kind: 'midjourney', model: 'imagine', bill: 'midjourney/imagine', most: 1 },
    ...{ jobs: true, links: true, webhookMs: 5_900 },
    cancel: { running: ['confirmed', 'ambiguous'], waiting: ['confirmed', 'ambiguous'] },
    differs: { quota: billing },
  },
];

/** Machines of one's own: no key, no money, no moderation; what is lost is simply made again. */
export const LOCAL: readonly Subject[] = [
  {
    ...{ name: 'automatic1111', kind: 'automatic1111', model: 'default', bill: 'automatic1111/v1-5-pruned-emaonly' },
    ...{ most: 4, free: true },
  },
  {
    ...{ name: 'comfyui', kind: 'comfyui', model: 'local', bill: 'comfyui/v1-5-pruned-emaonly-fp16.safetensors' },
    ...{ most: 4, free: true, jobs: true, links: true },
    cancel: { running: ['unconfirmed', 'rejected'], waiting: ['unconfirmed', 'rejected'] },
  },
];

/** One provider entry per scenario, so that what trips one credential or breaker leaves the others alone. */
export function entryOf({ name }: Subject, index: number): string {
  return `${name}-${index}`;
}

/** The text of `onetake.yaml` in which the sandbox plays each subject once per script. */
export function playedYaml(subjects: readonly Subject[], scripts: readonly string[]): string {
  const entries = subjects.flatMap((subject) =>
    scripts.map(
      (script, index) => `  ${entryOf(subject, index)}: {kind: ${subject.kind}, base_url: "sandbox:${script}"}`,
    ),
  );
  return ['providers:', ...entries, ''].join('\n');
}
