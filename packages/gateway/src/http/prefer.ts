/** What a request prefers of how it is answered (RFC 7240). */
export interface Preferences {
  /** `respond-async`: hand over the task instead of the pictures. */
  readonly respondAsync: boolean;
  /** `wait`: how long the caller waits for the pictures before it is handed the task. */
  readonly waitSeconds?: number;
}

/** A longer wait is cut to this: no proxy holds a silent connection for longer. */
const MAX_WAIT_SECONDS = 3_600;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const WORD = `(?:${TOKEN}|${QUOTED})`;
const PARAMETER = `${TOKEN}(?:[ \\t]*=[ \\t]*${WORD})?`;
/** One preference with its parameters, none of which is known here, up to the next comma. */
const PREFERENCE = new RegExp(
  `[ \\t]*(${TOKEN})(?:[ \\t]*=[ \\t]*(${WORD}))?(?:[ \\t]*;(?:[ \\t]*${PARAMETER})?)*[ \\t]*(?:,|$)`,
  'y',
);

/**
 * Reads `Prefer`, lines joined by commas. A preference is never an error: what cannot be read, or is not known, is
 * passed over, and of one given twice the first counts.
 */
export function readPrefer(header: string | readonly string[] | undefined): Preferences {
  const given = new Map<string, string>();
  for (const [name, value] of preferencesIn(String(header ?? ''))) if (!given.has(name)) given.set(name, value);
  const waitSeconds = secondsOf(given.get('wait'));
  return { respondAsync: given.get('respond-async') === '', ...(waitSeconds !== undefined && { waitSeconds }) };
}

function* preferencesIn(header: string): Generator<readonly [string, string]> {
  let at = 0;
  while (at < header.length) {
    PREFERENCE.lastIndex = at;
    const [whole = '', name, value = ''] = PREFERENCE.exec(header) ?? [];
    if (name !== undefined) yield [name.toLowerCase(), unquoted(value)];
    at = whole === '' ? afterComma(header, at) : at + whole.length;
  }
}

function afterComma(header: string, at: number): number {
  const comma = header.indexOf(',', at);
  return comma < 0 ? header.length : comma + 1;
}

/** An empty value is no value. */
function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(.)/g, '$1') : word;
}

function secondsOf(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d{1,15}$/.test(value)) return undefined;
  return Math.min(Number(value), MAX_WAIT_SECONDS);
}
