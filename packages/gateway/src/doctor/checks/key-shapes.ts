/**
 * What keys look like, by how they begin: as their providers' documents and SDKs show them, or as they are widely known
 * and as secret scanners tell them. Only ever a likelihood: providers promise no form.
 */
interface KeyShape {
  /** How it begins, where every key of it does. */
  readonly prefix?: string;
  /** A shorter one was cut off. */
  readonly minChars?: number;
  /** What the whole of it is made of. */
  readonly pattern?: RegExp;
  /** The form in words. */
  readonly form: string;
}

/** By kind of provider. */
export const SHAPES: Readonly<Record<string, KeyShape>> = {
  openai: { prefix: 'sk-', minChars: 40, form: 'sk-… with 40 characters or more' },
  stability: { prefix: 'sk-', minChars: 40, form: 'sk-… with 40 characters or more' },
  replicate: { prefix: 'r8_', minChars: 40, form: 'r8_… with 40 characters' },
  xai: { prefix: 'xai-', minChars: 40, form: 'xai-… with 40 characters or more' },
  evolink: { prefix: 'sk-', minChars: 20, form: 'sk-evo-…' },
  leonardo: {
    minChars: 36,
    pattern: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    form: 'a UUID of 36 characters',
  },
  fal: { minChars: 40, pattern: /^[^:]+:[^:]+$/, form: 'an id and a secret with a colon between' },
  google: { minChars: 30, form: 'AIza… with 39 characters' },
  azure: { minChars: 32, form: '32 characters or more' },
  bedrock: { minChars: 40, form: 'an API key of Bedrock, which begins with ABSK or bedrock-api-key-' },
};

/** Where nothing is known of a provider's keys. */
export const ANY_SHAPE: KeyShape = { minChars: 16, form: '16 characters or more' };

interface Owner {
  readonly prefix: string;
  /** The ids of those whose keys begin so, the most likely first; empty where it is no provider of ours. */
  readonly kinds: readonly string[];
  readonly name: string;
}

/** Whose keys begin how; a longer prefix stands before the shorter one it begins with. */
const OWNERS: readonly Owner[] = [
  { prefix: 'sk-onetake-', kinds: [], name: 'this gateway, made by onetake keys create' },
  { prefix: 'sk-ant-', kinds: [], name: 'Anthropic' },
  { prefix: 'sk-or-', kinds: [], name: 'OpenRouter' },
  { prefix: 'sk-evo-', kinds: ['evolink'], name: 'EvoLink' },
  { prefix: 'sk-proj-', kinds: ['openai', 'openai-responses'], name: 'OpenAI' },
  { prefix: 'sk-svcacct-', kinds: ['openai', 'openai-responses'], name: 'OpenAI' },
  { prefix: 'AIza', kinds: ['google'], name: 'Google' },
  { prefix: 'r8_', kinds: ['replicate'], name: 'Replicate' },
  { prefix: 'xai-', kinds: ['xai'], name: 'xAI' },
  { prefix: 'luma-', kinds: ['luma'], name: 'Luma' },
  { prefix: 'tgp_v1_', kinds: ['together'], name: 'Together' },
  { prefix: 'fw_', kinds: ['fireworks'], name: 'Fireworks' },
  { prefix: 'ABSK', kinds: ['bedrock'], name: 'Amazon Bedrock' },
  { prefix: 'hf_', kinds: [], name: 'Hugging Face' },
  { prefix: 'gsk_', kinds: [], name: 'Groq' },
  { prefix: 'pplx-', kinds: [], name: 'Perplexity' },
  { prefix: 'key-', kinds: [], name: 'Mailgun' },
  { prefix: 'ghp_', kinds: [], name: 'GitHub' },
  { prefix: 'github_pat_', kinds: [], name: 'GitHub' },
  { prefix: 'whsec_', kinds: [], name: 'a webhook, which only signs' },
];

/** Who makes keys that begin like this one; undefined where that is not known. */
export function ownerOf(key: string): Owner | undefined {
  return OWNERS.find(({ prefix }) => key.startsWith(prefix));
}

/** What stands in examples where a key belongs. */
const PLACEHOLDERS =
  /^(?:<.*>|\[.*\]|\{.*\}|\$\{?\w+\}?|%\w+%|(?:your|my|the|insert|enter|replace|put|paste|add)[-_ ]?.*(?:key|token|secret|here).*|(?:api|secret|access)[-_ ]?(?:key|token)|change[-_ ]?me|todo|tbd|none|null|undefined|true|false|dummy|test|example|placeholder|secret|key|(?:sk-|r8_|xai-|key-)?(?:\.{2,}|…|x{3,}|\*{3,}|your.*|test|dummy|1234\d*|abc\w{0,6}))$/i;

/** It was copied from an example, or masked by whoever showed it. */
export function isPlaceholder(key: string): boolean {
  return PLACEHOLDERS.test(key) || /x{6,}|\*{3,}|\.{3,}|…/i.test(key);
}
