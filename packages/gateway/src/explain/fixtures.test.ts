/** Holds the catalogue against the recorded answers of core's adapters: where both speak, they say the same. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { explain } from './explain.ts';

const directory = new URL('../../../core/src/providers/fixtures/', import.meta.url);

interface Answer {
  readonly name: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly text?: string;
  readonly expected?: {
    readonly failure?: { readonly kind?: string };
    readonly progress?: { readonly failure?: { readonly kind?: string } };
  };
}

const WHOSE: Readonly<Record<string, string>> = {
  'openai-chat': 'openai',
  'openai-responses': 'openai',
  'google-chat': 'google',
};

/** Where the kind is decided by what a text alone does not show: a header, a status beside a code, the call it was. */
const DECIDED_ELSEWHERE: ReadonlySet<string> = new Set([
  'bfl server overloaded',
  'fal server overloaded',
  'fal capability server',
  'fal server timeout',
  'foxapi server overloaded',
  'foxapi billing quota',
  'foxapi policy server',
  'evolink billing quota',
  'evolink image_format image_url',
  'evolink quota throttled',
  'localai not_found server',
  'midjourney billing invalid',
  'openai-compatible throttled quota',
  'openai-compatible server throttled',
  'replicate server out_of_memory',
]);

const seen = readdirSync(directory)
  .map((file) => file.replace(/\.json$/, ''))
  .filter((name) => !name.startsWith('sandbox'))
  .flatMap((name) => {
    const { answers = [] } = JSON.parse(readFileSync(new URL(`${name}.json`, directory), 'utf8')) as {
      readonly answers?: readonly Answer[];
    };
    return answers.map((answer) => ({ name, answer }));
  })
  .flatMap(({ name, answer }) => {
    const kind = answer.expected?.failure?.kind ?? answer.expected?.progress?.failure?.kind;
    return kind === undefined ? [] : [{ name, answer, kind, explained: explained(name, answer) }];
  });

function explained(name: string, { status = 200, headers = {}, body, text }: Answer) {
  const told = Object.entries(headers).map(([header, value]) => `${header}: ${value}`);
  const pasted = [`HTTP/1.1 ${status}`, ...told, '', text ?? JSON.stringify(body) ?? ''].join('\n');
  return explain(pasted, { provider: name === 'openai-compatible' ? undefined : (WHOSE[name] ?? name) });
}

test('most recorded failures are recognised', () => {
  const known = seen.filter((one) => one.explained.known);
  assert.ok(known.length >= 300, `${known.length} of ${seen.length}`);
});

test('what core’s adapters and the catalogue say of a recorded answer agrees', () => {
  const wrong = seen.flatMap(({ name, answer, kind, explained: { known, found } }) => {
    const told = found[0]?.entry.kind;
    const isWrong = known && told !== kind && !DECIDED_ELSEWHERE.has(`${name} ${kind} ${told}`);
    return isWrong ? [`${name}, ${answer.name}: ${kind} in core, ${found[0]?.entry.id} here`] : [];
  });
  assert.deepEqual(wrong, []);
});
