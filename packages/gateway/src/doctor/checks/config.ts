import type { Check, Finding, Level } from '../check.ts';
import { fine } from './found.ts';

/** Everything that reading the configuration finds: its faults, and what is worth knowing. */
export const CONFIG: Check = {
  id: 'config',
  title: 'configuration',
  async run({ config }) {
    if (!config.ok) return config.faults.map(faultFinding);
    const noticed = config.config.notices.flatMap(noticeFinding);
    return noticed.length > 0 ? noticed : [fine('config.read', 'no fault in environment and file')];
  },
};

/** What a fault is about, by its words; the first that fits. */
const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/^routes\.\S+\.targets\.\d+: expected a model of/, 'unknown-model'],
  [/^routes\.\S+\.targets\.\d+: /, 'dead-target'],
  [/^default_(?:chat_)?model: /, 'default-model'],
  [/, got an unknown key/, 'unknown-key'],
  [/expected YAML/, 'yaml'],
  [/got a literal (?:key|secret)/, 'literal-key'],
  [/^ONETAKE_HOST: expected a loopback address/, 'open-host'],
  [/^ONETAKE_[A-Z_]+/, 'variable'],
  [/expected (?:it or \S+_FILE|one key|key_env or key_file)|_(?:FILE|file|KEY|TOKEN): /, 'key'],
];

const FAULT_ADVICE: Readonly<Record<string, string>> = {
  yaml: 'Look at that line and the one before: the indentation, a missing colon, a bracket or quote that is not closed.',
};

function faultFinding(fault: string): Finding {
  const [, id = 'fault'] = FAULTS.find(([pattern]) => pattern.test(fault)) ?? [];
  const { message, advice } = split(fault);
  const subject = message.slice(0, message.indexOf(': '));
  return {
    ...{ id: `config.${id}`, level: 'broken', message },
    ...(subject !== '' && { subject }),
    advice: advice ?? FAULT_ADVICE[id] ?? `Correct ${subject || 'it'}: give it what is expected there.`,
    ...fixOf(id),
  };
}

function fixOf(id: string): Pick<Finding, 'fix'> {
  if (id === 'open-host') return { fix: 'export ONETAKE_API_KEYS="app:$(openssl rand -hex 24)"' };
  return id === 'literal-key' ? { fix: 'providers:\n  openai:\n    key_env: OPENAI_API_KEY' } : {};
}

const NOTICES: readonly (readonly [RegExp, string, Level])[] = [
  [/is set and nothing reads it/, 'unknown-variable', 'warning'],
  [/^models\..*is not read$/, 'unread', 'warning'],
  [/has no key/, 'no-key', 'warning'],
  // Told by the checks of keys and of the database.
  [/: read without /, '', 'ok'],
  [/ONETAKE_ASSETS is not/, '', 'ok'],
];

function noticeFinding(notice: string): readonly Finding[] {
  const [, id, level] = NOTICES.find(([pattern]) => pattern.test(notice)) ?? [/^/, 'notice', 'ok' as const];
  if (id === '') return [];
  if (level === 'ok') return [fine(`config.${id}`, notice)];
  const { message, advice } = split(notice);
  return [{ id: `config.${id}`, level, message, advice: advice ?? ADVICE[id] ?? 'Correct it or remove it.' }];
}

const ADVICE: Readonly<Record<string, string>> = {
  unread: 'Configure the provider, or remove the entry.',
  'no-key': 'Set the variable to the key, or remove the provider from onetake.yaml.',
};

/** What is wrong, and after the last semicolon what to do. */
function split(sentence: string): { readonly message: string; readonly advice?: string } {
  const at = sentence.lastIndexOf('; ');
  if (at < 0) return { message: sentence };
  const advice = sentence.slice(at + 2);
  const isName = /^\S+ (?:has no|is not|was retired) /.test(advice);
  const told = isName ? advice : `${advice.charAt(0).toUpperCase()}${advice.slice(1)}`;
  return { message: sentence.slice(0, at), advice: told };
}
