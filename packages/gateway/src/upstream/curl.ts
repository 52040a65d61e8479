import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { literally, quoted } from './sh.ts';

/** A file that a command reads: text that is written, or a stored picture. */
export type CurlFile =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly picture: PictureRef };

export interface PictureRef {
  readonly url: string;
  readonly sha256: string;
}

export interface CurlCommand {
  readonly command: string;
  readonly files: readonly CurlFile[];
}

/** The bytes of pictures that stand inside JSON, by SHA-256. */
export type Pictures = ReadonlyMap<string, Uint8Array>;

/** Above this, text goes to a file: long commands are hard to read, and a shell takes no argument above 128 KiB. */
export const MAX_INLINE_BYTES = 4_096;

/** Pictures that must be at hand before the command can be written. */
export function picturesInside(view: JsonObject): readonly PictureRef[] {
  return listAt(isObject(view.body) ? view.body.pictures : undefined).map(pictureRef);
}

/**
 * One command for any POSIX shell that sends what `GET /v1/generations/{id}/upstream` shows, with the key left to the
 * variable that holds it. `stem` begins the names of the files it reads. Throws where curl cannot say it.
 */
export function curlCommand(view: JsonObject, stem: string, pictures: Pictures): CurlCommand {
  const { words, files } = bodyWords(view, stem, pictures);
  const method = textAt(view, 'method');
  const isUsual = method === (view.body === null ? 'GET' : 'POST');
  const line = [
    // Brackets in an address are no pattern.
    ['curl -sS --globoff', ...(isUsual ? [] : [`-X ${method}`]), quoted(textAt(view, 'url'))].join(' '),
    ...headerWords(view),
    ...words,
  ];
  return { command: line.join(' \\\n  '), files };
}

/** Without an `Accept` of its own curl would say one. */
function headerWords(view: JsonObject): readonly string[] {
  const headers = isObject(view.headers) ? view.headers : {};
  const key = isObject(view.key) ? view.key : undefined;
  const said = Object.entries(headers).map(([name, value]) => {
    if (key && name === key.header)
      return `-H "${literally(`${name}: ${textAt(key, 'prefix')}`)}${textAt(key, 'expression')}"`;
    return `-H ${quoted(value === '' ? `${name};` : `${name}: ${String(value)}`)}`;
  });
  return headers.accept === undefined ? [...said, "-H 'accept:'"] : said;
}

interface Words {
  readonly words: readonly string[];
  readonly files: readonly CurlFile[];
}

function bodyWords({ body }: JsonObject, stem: string, pictures: Pictures): Words {
  if (!isObject(body)) return { words: [], files: [] };
  if (body.kind === 'form') return formWords(listAt(body.parts), stem);
  const text = body.kind === 'json' ? JSON.stringify(withPictures(body, pictures)) : textAt(body, 'value');
  if (Buffer.byteLength(text) <= MAX_INLINE_BYTES) return { words: [`--data-binary ${quoted(text)}`], files: [] };
  const name = `${stem}.json`;
  return { words: [`--data-binary ${quoted(`@${name}`)}`], files: [{ name, text }] };
}

function withPictures({ value, pictures: places }: JsonObject, pictures: Pictures): JsonValue {
  let whole = value ?? null;
  for (const place of listAt(places)) {
    const { path, as, type } = place;
    const bytes = pictures.get(textAt(place, 'sha256'));
    if (bytes === undefined) throw new Error(`the picture ${textAt(place, 'sha256')} is not at hand`);
    const base64 = Buffer.from(bytes).toString('base64');
    const text = as === 'data-url' ? `data:${String(type)};base64,${base64}` : base64;
    whole = replacedAt(whole, Array.isArray(path) ? path : [], text);
  }
  return whole;
}

function replacedAt(value: JsonValue, [step, ...rest]: readonly JsonValue[], text: string): JsonValue {
  if (step === undefined) return text;
  if (Array.isArray(value))
    return value.map((one: JsonValue, index) => (index === step ? replacedAt(one, rest, text) : one));
  if (!isObject(value) || typeof step !== 'string') return value;
  return { ...value, [step]: replacedAt(value[step] ?? null, rest, text) };
}

function formWords(parts: readonly JsonObject[], stem: string): Words {
  const written = parts.map((part, index) => formWord(part, `${stem}-${index + 1}`));
  return { words: written.map(({ word }) => word), files: written.flatMap(({ file }) => (file ? [file] : [])) };
}

function formWord(part: JsonObject, stem: string): { readonly word: string; readonly file?: CurlFile } {
  const name = textAt(part, 'name');
  // Everything after the first = is the value.
  if (/[=\0]/.test(name)) throw new Error(`curl cannot send a form field named ${JSON.stringify(name)}`);
  if (part.url === undefined) return fieldWord(name, textAt(part, 'value'), stem);
  const filename = textAt(part, 'filename');
  const file = `${stem}.${filename.split('.').at(-1) ?? 'bin'}`;
  const said = `${name}=@${file};filename="${filename.replaceAll(/["\\]/g, '\\$&')}";type=${textAt(part, 'type')}`;
  return { word: `-F ${quoted(said)}`, file: { name: file, picture: pictureRef(part) } };
}

/** What a terminal may obey when the command is pasted into it, whatever quotes it stands in. */
const CONTROL = /[^\P{Cc}\n\t]/u;

/** `--form-string` reads nothing into a value, where `-F` would take `@` and `<` for files. */
function fieldWord(name: string, value: string, stem: string): ReturnType<typeof formWord> {
  if (Buffer.byteLength(value) <= MAX_INLINE_BYTES && !CONTROL.test(value))
    return { word: `--form-string ${quoted(`${name}=${value}`)}` };
  const file = `${stem}.txt`;
  return { word: `-F ${quoted(`${name}=<${file}`)}`, file: { name: file, text: value } };
}

function pictureRef(file: JsonObject): PictureRef {
  return { url: textAt(file, 'url'), sha256: textAt(file, 'sha256') };
}

function listAt(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textAt(value: JsonObject, name: string): string {
  const found = value[name];
  return typeof found === 'string' ? found : '';
}
