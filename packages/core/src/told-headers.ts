import { presentable } from './classify.ts';

/**
 * Which headers of a provider's answer a journal keeps, the most telling first: who to name to its support, when to come
 * back, what is left, how long it took, what was between, and what it warns of.
 */
const KEPT: readonly RegExp[] = [
  /^(?:[a-z]+-){0,3}(?:request|correlation|trace)-?id$/,
  /^cf-ray$/,
  /^retry-after(?:-ms)?$|^x-should-retry$|^x-fal-retryable$/,
  /^(?:[a-z]+-){0,2}rate-?limit(?:-[a-z-]+)?$/,
  /^content-(?:type|length)$|^date$/,
  /^openai-[a-z-]+$|^x-envoy-[a-z-]+$|-processing-ms$|^server-timing$/,
  /^server$|^via$|^x-powered-by$|^x-served-by$|^x-cache$/,
  /^deprecation$|^sunset$|^warning$|^x-ms-region$/,
];
const SECRET = /auth|token|key|secret|cookie|credential|password|session/;
/** Tokens that are counted, not shown: a number, or how long until there are some again. */
const COUNTED = /^(?:[a-z]+-){0,2}rate-?limit-[a-z-]*tokens(?:-[a-z]+)*$/;
const COUNT = /^[\d.]{1,16}(?:ms|s|m|h|d)?(?:[\d.]{1,8}(?:ms|s|m)){0,2}$|^\d{4}-\d\d-\d\dT[\d:.]{8,15}Z$/;

const MAX_HEADERS = 24;
const MAX_VALUE_CHARS = 200;
/** Of names and values together: so much a journal may grow by them per attempt. */
const MAX_CHARS = 1_024;

/** What of an answer's headers is worth keeping; undefined where nothing is. Names are lower case. */
export function toldHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const ranked = Object.entries(headers)
    .map(([name, value]) => ({ name, value, rank: KEPT.findIndex((pattern) => pattern.test(name)) }))
    .filter(({ name, value, rank }) => rank >= 0 && !isSecret(name, value))
    .toSorted((one, other) => one.rank - other.rank);
  const kept: (readonly [string, string])[] = [];
  let chars = 0;
  for (const { name, value } of ranked) {
    const said = presentable(value).slice(0, MAX_VALUE_CHARS);
    const size = JSON.stringify({ [name]: said }).length;
    if (said === '' || kept.length === MAX_HEADERS || chars + size > MAX_CHARS) continue;
    chars += size;
    kept.push([name, said]);
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function isSecret(name: string, value: string): boolean {
  return SECRET.test(name) && !(COUNTED.test(name) && COUNT.test(value));
}
