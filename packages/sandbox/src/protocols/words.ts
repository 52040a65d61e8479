import type { Argument, Fault } from '../faults/fault.ts';
import { type Cue, FAULTS, readCues, type Vocabulary } from '../faults/script.ts';
import { TASK_WORDS, type TaskFault } from '../tasks/behaviours.ts';
import type { Protocol } from './protocol.ts';

/** What only a job can go through, as the nearest thing that a request without a job can. */
const SYNC_ALIASES: Readonly<Record<string, string>> = {
  moderated: 'policy',
  'moderated-output': 'policy-output',
  failed: '500',
  cold: 'slow',
  queued: 'slow',
  corrupt: 'truncated',
  'submit-lost': 'reset-after-accept',
  'lost-webhook': 'slow',
  'poll-500': 'ok',
  gone: 'ok',
  stuck: 'hang-after-accept',
};
const IGNORED: Argument = { unit: 'seconds', required: false, maximum: 3600, example: 2 };
const JOB_ALIASES: Readonly<Record<string, string>> = { 'policy-output': 'moderated-output' };

const PAINT_WORDS: Vocabulary = { faults: withAliases(FAULTS, SYNC_ALIASES), prefixes: ['sandbox/'] };
const jobWords = new WeakMap<Protocol, Vocabulary<TaskFault>>();

function withAliases<F extends Fault>(faults: ReadonlyMap<string, F>, aliases: Readonly<Record<string, string>>) {
  const all = new Map(faults);
  for (const [alias, name] of Object.entries(aliases)) {
    const fault = faults.get(name);
    if (!fault) throw new Error(`'${alias}' means the fault '${name}', which does not exist`);
    const { argument } = fault;
    // An argument that the other one needs is none of this one's: `failed:2` at a protocol without jobs fails at once.
    all.set(alias, argument ? fault : { ...fault, argument: IGNORED });
  }
  return all;
}

/** What a request without a job plays. */
export function paintScript(script: string | undefined): readonly Cue[] {
  return readCues(PAINT_WORDS, 'ok', script);
}

/** What a request for a job plays, charged as this protocol charges. */
export function jobScript(protocol: Protocol, script: string | undefined): readonly Cue<TaskFault>[] {
  const words = jobWords.get(protocol) ?? jobWordsOf(protocol);
  jobWords.set(protocol, words);
  return readCues(words, 'ok', script);
}

function jobWordsOf({ jobs }: Protocol): Vocabulary<TaskFault> {
  const free = new Set(jobs?.unbilled);
  const charged = [...TASK_WORDS.faults].map(
    ([name, fault]) => [name, free.has(name) ? { ...fault, charges: false } : fault] as const,
  );
  return { faults: withAliases(new Map(charged), { ...JOB_ALIASES, ...jobs?.aliases }), prefixes: TASK_WORDS.prefixes };
}
