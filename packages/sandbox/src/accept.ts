import { createHash } from 'node:crypto';
import { type Fault, madeBy } from './faults/fault.ts';
import { type Cue, textOf } from './faults/script.ts';
import type { Entry, Ledger } from './ledger.ts';
import { RefusedError } from './wire/answer.ts';
import { type Fields, formFields, jsonFields } from './wire/body.ts';
import type { ImageCall } from './wire/call.ts';

export const DEFAULT_MODEL = 'gpt-image-2';
/** Stands on the bill as the model of a request whose model could not be read. */
export const UNREADABLE = '(unreadable)';
const MAX_NAME_CHARACTERS = 1000;
const MAX_KEPT_PROMPT = 200;

/** What is known of a request's line in the bill before anything is played; filled in as the request is understood. */
export interface Draft<O extends Entry['operation'] = ImageCall['operation']> extends Pick<Entry, 'at' | 'endpoint'> {
  readonly operation: O;
  model: string;
  prompt?: string;
}

export function draftOf<O extends Entry['operation']>(operation: O): Draft<O> {
  return { at: Date.now(), operation, model: UNREADABLE };
}

/** What of a prompt stands on the bill. */
export function keptPrompt(prompt: string): string {
  return prompt.slice(0, MAX_KEPT_PROMPT);
}

/** Runs `accept`; what it refuses is on the bill, without a charge. */
export async function withRefusals<T>(
  ledger: Ledger,
  draft: Draft<Entry['operation']>,
  accept: () => T | Promise<T>,
): Promise<T> {
  try {
    return await accept();
  } catch (error) {
    if (error instanceof RefusedError) {
      const played = `refused: ${error.refusal.code ?? error.refusal.status}`;
      ledger.append({ ...draft, played, images: 0, charged: 0 });
    }
    throw error;
  }
}

/** Reads a form, or JSON where no picture has to be uploaded. */
export async function readFields(body: Buffer, type: string, operation: ImageCall['operation']): Promise<Fields> {
  if (isForm(type)) return formFields(body, type);
  if (operation === 'generate') return jsonFields(body);
  const message = `Unsupported content type: '${type.slice(0, 100)}'. Send an edit as 'multipart/form-data'.`;
  throw new RefusedError({ status: 400, code: 'unsupported_content_type', message });
}

export function isForm(type: string): boolean {
  return type.startsWith('multipart/form-data');
}

export function readName(
  { values }: Pick<Fields, 'values'>,
  param: 'model' | 'fault' | 'webhook_url',
): string | undefined {
  const value = values[param];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS) return value;
  const message = `Invalid '${param}': expected a string of at most ${MAX_NAME_CHARACTERS} characters.`;
  throw new RefusedError({ status: 400, param, code: 'invalid_type', message });
}

/** A place in a script belongs to (Authorization key, model, script, prompt); the key itself is not kept. */
export function placeOf(
  authorization: string | undefined,
  model: string,
  script: readonly Cue[],
  prompt: string,
): string | undefined {
  const cues = script.map(({ fault, value }) => [fault.name, value]);
  return placeIn(script, [authorization ?? '', model, cues, prompt]);
}

/** The place of `owner` in a script, as the ledger counts it; a script of one entry has none. */
export function placeIn(script: readonly unknown[], owner: readonly unknown[]): string | undefined {
  if (script.length <= 1) return undefined;
  return createHash('sha256').update(JSON.stringify(owner)).digest('hex').slice(0, 24);
}

/** The entry that is next at a place in a script, the last one again and again. */
export function entryAt<E>(ledger: Ledger, script: readonly E[], place: string | undefined): E {
  const entry = script[place === undefined ? 0 : Math.min(ledger.position(place), script.length - 1)];
  if (!entry) throw new Error('a script has at least one entry');
  return entry;
}

/** Takes the next cue of the script and writes the charge, in one turn of the event loop. */
export function takeCue<F extends Fault>(
  ledger: Ledger,
  script: readonly Cue<F>[],
  place: string | undefined,
  draft: Draft,
  n: number,
): Cue<F> {
  const cue = entryAt(ledger, script, place);
  const made = madeBy(cue.fault, n);
  const position = place === undefined ? {} : { position: place };
  ledger.append({ ...draft, played: textOf(cue), images: made, charged: made, ...position });
  return cue;
}
