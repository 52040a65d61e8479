import { type ComfyuiSettings, comfyuiProvider, isImageModel, PROVIDERS, type Provider } from '@onetake/core';

/** A sandbox that runs elsewhere; it has no protocol that a provider of the world speaks. */
export const SANDBOX_TASK = 'sandbox-task';
const COMPATIBLE = 'openai-compatible';
const BACKGROUND = 'openai-responses';

const NATIVE: ReadonlyMap<string, Provider> = new Map(PROVIDERS.map((provider) => [provider.id, provider]));

/** What `kind` may say. */
export const KINDS: readonly string[] = [...NATIVE.keys(), SANDBOX_TASK];

/** Those that are configured by their name alone, in the order bare model names ask them. */
export const WELL_KNOWN: readonly Provider[] = PROVIDERS.filter(
  ({ id, access }) => access !== undefined && id !== BACKGROUND,
);

/** The protocol of a kind, with the workflows of its owner where it has some; undefined for the sandbox's own. */
export function protocolOf(kind: string, workflows?: ComfyuiSettings): Provider | undefined {
  return workflows === undefined ? NATIVE.get(kind) : comfyuiProvider(workflows);
}

/** Whether a model of the name may be asked for an answer of chat there, as far as the name tells. */
export function mayChat({ chat }: Provider, model: string): boolean {
  if (chat === undefined) return false;
  if (chat.models.some(({ id }) => id === model)) return true;
  return !isImageModel(model) && (chat.takesAny === true || chat.owns?.test(model) === true);
}

/** A provider speaks what it is named after, and OpenAI's protocol where nobody knows its name. */
export function kindOf(id: string, entry: { readonly kind?: string; readonly image_api?: string }): string {
  const kind = entry.kind ?? (NATIVE.has(id) || id === SANDBOX_TASK ? id : COMPATIBLE);
  return kind === 'openai' && entry.image_api === 'responses' ? BACKGROUND : kind;
}
