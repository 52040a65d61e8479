/** What a text shows that an entry may be recognised by. Nothing of it is handed on but what the catalogue says itself. */
export interface Evidence {
  /** The text as `plainWords`, with a space before and after. */
  readonly words: string;
  /** Different words apart from numbers and what every error has. */
  readonly contentWords: number;
  /** The identifiers in it, as they are written. */
  readonly names: ReadonlySet<string>;
  readonly lowerNames: ReadonlySet<string>;
  /** `field:value` of its JSON, in lower case. */
  readonly fields: ReadonlySet<string>;
  readonly statuses: ReadonlySet<number>;
}

/** What of a text is read; the rest is left out. */
export const MAX_TEXT_CHARACTERS = 65_536;

/** Reads a sentence, a code, a status, a pasted answer, a body, or a stack trace. */
export function evidenceOf(text: string): Evidence {
  const read = unescaped(text.slice(0, MAX_TEXT_CHARACTERS));
  const words = plainWords(read);
  const names = read.match(/[\p{L}\p{N}_]+(?:[-.][\p{L}\p{N}_]+)*/gu) ?? [];
  const parts = names.flatMap((name) => (/[-.]/.test(name) ? [name, ...name.split(/[-.]/)] : [name]));
  return {
    words: ` ${words} `,
    contentWords: [...new Set(words.split(' '))].filter((word) => !/^\d*$/.test(word) && !FILLERS.has(word)).length,
    names: new Set(parts),
    lowerNames: new Set(parts.map((name) => name.toLowerCase())),
    fields: new Set(fieldsOf(read)),
    statuses: new Set(statusesOf(read)),
  };
}

/** Lower case, letters, digits and underscores alone, one space between. */
export function plainWords(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/['’`]/g, '')
    .replaceAll(/[^\p{L}\p{N}_]+/gu, ' ')
    .trim();
}

const FILLERS: ReadonlySet<string> = new Set(
  'http https status statuscode code error errors message response answer the a an of is was it apierror html head body title center h1 h2 hr style doctype content type text application json charset utf retry after nginx cloudflare'.split(
    ' ',
  ),
);

/** JSON inside of JSON, and what logs make of line breaks. */
function unescaped(text: string): string {
  return text
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    .replaceAll(/\\+[nrt]/g, ' ')
    .replaceAll(/\\+(["'/])/g, '$1');
}

/** Short values of fields, quoted in either way or not at all. */
function fieldsOf(text: string): readonly string[] {
  const found = text.matchAll(/\b([a-z_]{2,30})["']?\s{0,4}[:=]\s{0,4}["']?([\w. -]{1,80}?)(?=["',}\]\r\n]|$)/gi);
  return [...found].map(([, field = '', value = '']) => `${field}:${value.trim()}`.toLowerCase());
}

const STATUS_FORMS: readonly RegExp[] = [
  /\bHTTP\/\d(?:\.\d)?["']?\s+(\d{3})\b/gi,
  /\b(?:status|status_?code|statuscode|http_?status|code|http|error|answered|returned)["']?\s{0,4}[:=]?\s{0,4}["']?([2-5]\d\d)\b/gi,
  /^\s*(\d{3})\b/gm,
  /\((\d{3})\)/g,
  /\b([45]\d\d)\s*$/gm,
  /\b([45]\d\d)\s+(?=[A-Z][a-z]+)/g,
];

function statusesOf(text: string): readonly number[] {
  const found = STATUS_FORMS.flatMap((form) => [...text.matchAll(form)].map(([, digits]) => Number(digits)));
  return found.filter((status) => status >= 300 && status <= 599);
}
