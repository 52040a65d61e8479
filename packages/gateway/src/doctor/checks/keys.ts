import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { fine } from './found.ts';
import { type KeyEntry, keyEntries } from './key-entries.ts';
import { ANY_SHAPE, isPlaceholder, ownerOf, SHAPES } from './key-shapes.ts';
import { unpasted } from './pasted.ts';
import { wrongVariables } from './wrong-variables.ts';

/** Whether the keys look like keys of their providers. Nothing is sent, and no key is told. */
export const KEYS: Check = {
  id: 'keys',
  title: 'keys',
  async run(world) {
    const entries = keyEntries(world);
    const found = entries.flatMap((entry) => findingsOf(entry));
    const others = [...sameKeys(entries), ...wrongVariables(world), ...withoutAddress(world, entries)];
    if (entries.length === 0 && others.length === 0) return [fine('keys.none', 'no provider has a key')];
    return [...found, ...others];
  },
};

function findingsOf(entry: KeyEntry): readonly Finding[] {
  const { source, provider, raw } = entry;
  const { key, pasted } = unpasted(raw);
  const around = pasted.map(({ id, what, isMended }): Finding => {
    const takenOff = 'the gateway reads it without, other programs may not';
    return {
      id: `keys.${id}`,
      level: isMended ? 'warning' : 'broken',
      subject: source,
      message: `${source} has ${what}${isMended ? `; ${takenOff}` : ''}`,
      advice: `Set ${source} to the key alone: from its first character to its last, without anything around it.`,
      fix: `export ${source}='…'   # the key alone`,
    };
  });
  const shape = shapeFinding(entry, key);
  if (shape) return [...around, shape];
  if (around.length > 0) return around;
  return [fine('keys.shape', `${source} looks like a key of ${provider}`, source)];
}

function shapeFinding({ source, provider, kind, isUsual }: KeyEntry, key: string): Finding | undefined {
  // Another server may want any key.
  if (!isUsual) return undefined;
  const broken = (id: string, looks: string, advice: string): Finding => ({
    ...{ id: `keys.${id}`, level: 'broken', subject: source, message: `${source} looks like ${looks}`, advice },
  });
  const owner = ownerOf(key);
  const own = `Put the key of ${provider} there`;
  if (owner && !owner.kinds.includes(kind)) {
    const instead = owner.kinds[0] === undefined ? '' : `, and this one into the variable of ${owner.kinds[0]}`;
    return broken('other-provider', `a key of ${owner.name} (it begins with ${owner.prefix})`, `${own}${instead}.`);
  }
  if (key.startsWith('sk-admin-')) return broken('admin', 'an admin key of OpenAI', ADMIN_ADVICE);
  if (/^A[KS]IA[0-9A-Z]{12,}$/.test(key)) return broken('access-key-id', 'an access key id of AWS', AWS_ADVICE);
  if (isPlaceholder(key))
    return broken('placeholder', 'a placeholder, not a key', `${own}: this is text from an example.`);
  const { prefix, minChars = 0, pattern, form } = SHAPES[kind] ?? ANY_SHAPE;
  if (prefix !== undefined && !key.startsWith(prefix)) {
    const advice = `${own}; keys of ${provider} look like ${form}.`;
    return { ...broken('prefix', `something else than a key of ${provider}`, advice), level: 'warning' };
  }
  if (key.length < minChars) {
    const advice = `Copy it again, whole: keys of ${provider} look like ${form}.`;
    return broken('truncated', `a key of ${provider} that was cut off: it has ${key.length} characters`, advice);
  }
  if (pattern === undefined || pattern.test(key)) return undefined;
  const advice = `Copy it again, whole: keys of ${provider} look like ${form}.`;
  return { ...broken('form', `something else than a key of ${provider}`, advice), level: 'warning' };
}

const ADMIN_ADVICE =
  'Make a key of a project at platform.openai.com/api-keys: an admin key manages the organization and makes no pictures.';
const AWS_ADVICE =
  'Make an API key for Bedrock and set AWS_BEARER_TOKEN_BEDROCK to it: calls are not signed with access keys here.';

/** One key in two places is one account, whatever the places are called. */
function sameKeys(entries: readonly KeyEntry[]): readonly Finding[] {
  const seen = new Map<string, KeyEntry>();
  return entries.flatMap((entry): Finding[] => {
    const { key } = unpasted(entry.raw);
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, entry);
    if (earlier === undefined || earlier.source === entry.source || isPlaceholder(key)) return [];
    const isPool = earlier.provider === entry.provider;
    return [
      {
        id: 'keys.same',
        level: 'warning',
        subject: entry.source,
        message: `${earlier.source} and ${entry.source} hold the same key`,
        advice: isPool
          ? 'A pool of one key has one limit and one account: leave one of them out, or put another key there.'
          : `Put the key of ${entry.provider} into ${entry.source}; that of ${earlier.provider} opens nothing there.`,
      },
    ];
  });
}

/** A key without an address is left unread, since it may be there for another program. */
function withoutAddress({ config }: DoctorWorld, entries: readonly KeyEntry[]): readonly Finding[] {
  if (!config.ok) return [];
  return entries
    .filter(({ provider }) => !config.config.providers.some(({ id }) => id === provider))
    .map(({ provider, source }) => {
      const variables = { azure: 'AZURE_OPENAI_ENDPOINT' }[provider] ?? `ONETAKE_${provider.toUpperCase()}_BASE_URL`;
      return {
        id: 'keys.no-address',
        level: 'warning',
        subject: source,
        message: `${source} is set, and nothing says where ${provider} is: it is not used`,
        advice: `Set ${variables} to its address, or unset ${source}.`,
        fix: `export ${variables}=https://…`,
      };
    });
}
