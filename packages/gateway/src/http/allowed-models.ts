import type { Catalogue, ChatEndpoint } from '@onetake/core';
import type { ManagedKey } from '../keys/key.ts';
import { matchesAny } from '../keys/patterns.ts';
import { RequestProblem } from './problem.ts';

type Allowance = Pick<ManagedKey, 'name' | 'models' | 'revokedAt'>;

const MAX_SHOWN = 20;
const MAX_NAME_CHARS = 200;

/** Whether a caller may ask for a model under this name; who has no key made here, or one without patterns, for all. */
export function mayAskFor(key: Pick<ManagedKey, 'models'> | undefined, name: string): boolean {
  return key?.models === undefined || matchesAny(name, key.models);
}

/** Throws a 403 for a name that the key may not ask for. None, and no default in its place, is refused where it is planned. */
export function checkModelAllowed(key: Allowance | undefined, name: string | undefined): void {
  if (name === undefined || mayAskFor(key, name)) return;
  const patterns = key?.models ?? [];
  const shown = patterns.slice(0, MAX_SHOWN).join(', ');
  const more = patterns.length > MAX_SHOWN ? ` and ${patterns.length - MAX_SHOWN} more` : '';
  const message = `model: the key "${key?.name}" may use ${shown}${more}, and "${name.slice(0, MAX_NAME_CHARS)}" is none of them; GET /v1/models lists what it may ask for`;
  throw new RequestProblem(403, 'model_not_allowed', message, { param: 'model' });
}

/** What a request of chat asks for: where it names no model the default one, of which embeddings have none. */
export function chatModelAsked(endpoint: ChatEndpoint, model: string | undefined, catalogue: Catalogue) {
  return model || (endpoint === 'embeddings' ? undefined : catalogue.defaultChatModel);
}

/** As `checkModelAllowed`, for what was asked for earlier and is begun now: a key that was revoked since begins nothing more. */
export function checkStillAllowed(key: Allowance | undefined, name: string | undefined): void {
  if (key?.revokedAt !== undefined) {
    const message = `API key: the key "${key.name}" was revoked at ${new Date(key.revokedAt).toISOString()}; this was not begun before`;
    throw new RequestProblem(401, 'invalid_api_key', message);
  }
  checkModelAllowed(key, name);
}
