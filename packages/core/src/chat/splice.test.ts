import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChatBody } from './chat.ts';
import { bodyFor } from './splice.ts';

function bodyOf(text: string): ChatBody {
  return { bytes: Buffer.from(text), value: JSON.parse(text.replace(/^\uFEFF/, '')) };
}

function sent(text: string, model: string): string {
  return Buffer.from(bodyFor(bodyOf(text), model)).toString();
}

function isOneEscape(name: string): boolean {
  return name.length === 1 && JSON.stringify(name).length > 3;
}

function holdsOneEscape(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => isOneEscape(name) || holdsOneEscape(inner));
}

const space = fc.stringMatching(/^[ \n\r\t]{0,3}$/);
/**
 * How a name may be written: plain, or with characters as escapes. Not a name that is one escape alone: having read
 * `{"p":1,"\\":2}` twice, `JSON.parse` of Node 26.10 takes `{"p":1,"\n":2}` for the same (Node 20 does not).
 */
const written = (name: fc.Arbitrary<string>) =>
  fc.tuple(name, fc.boolean()).map(([text, escaped]) => {
    const plain = JSON.stringify(text);
    const first = text.charCodeAt(0).toString(16).padStart(4, '0');
    return escaped && text.length > 1 ? `"\\u${first}${JSON.stringify(text.slice(1)).slice(1)}` : plain;
  });
const anyName = fc
  .oneof(fc.constantFrom('model', 'onetake', 'messages', 'models', 'a"b', ''), fc.string())
  .filter((name) => !isOneEscape(name));
const nasty = fc.constantFrom(
  '\\',
  '"',
  '\\"',
  '{"model":"x"}',
  '],}',
  '\\'.repeat(41),
  `${'a'.repeat(40)}\\`,
  `"${'\\"'.repeat(30)}`,
);
const jsonValue = fc.jsonValue().filter((value) => !holdsOneEscape(value));
const values = fc.oneof(jsonValue, fc.string(), nasty, fc.record({ model: nasty, onetake: jsonValue }));
const formatted = fc
  .tuple(values, fc.constantFrom(0, 1, '\t'))
  .map(([value, indent]) => JSON.stringify(value, null, indent));
/** A member as its name and its value are written, and what stands around them. */
const member = fc.record({ name: written(anyName), before: space, colon: space, value: formatted, after: space });
const objects = fc.record({
  mark: fc.constantFrom('', '\uFEFF'),
  front: space,
  members: fc.array(member, { maxLength: 6 }),
  back: space,
});

interface Member {
  readonly name: string;
  readonly before: string;
  readonly colon: string;
  readonly value: string;
  readonly after: string;
}

/** What must stand between the braces: of a run of removed members the white space at its front, or after the last. */
function expectedInside(members: readonly Member[], model: string): string {
  const named = ({ name }: Member) => String(JSON.parse(name));
  const said = ({ value }: Member) => (JSON.parse(value) === model ? value : JSON.stringify(model));
  const kept: { before: string; core: string; after: string }[] = [];
  let before: string | undefined;
  for (const member of members) {
    before ??= member.before;
    if (named(member) === 'onetake') continue;
    const value = named(member) === 'model' ? said(member) : member.value;
    kept.push({ before, core: `${member.name}${member.colon}:${member.colon}${value}`, after: member.after });
    before = undefined;
  }
  const rest = kept.map((one, index) => {
    const end = index === kept.length - 1 ? members.at(-1)?.after : one.after;
    return `${one.before}${one.core}${end}`;
  });
  const inserted = members.some((member) => named(member) === 'model') ? '' : `"model":${JSON.stringify(model)}`;
  const comma = inserted !== '' && rest.length > 0 ? ',' : '';
  const blank = rest.length === 0 && members.length > 0 ? `${members[0]?.before}${members.at(-1)?.after}` : '';
  return `${inserted}${comma}${rest.join(',')}${blank}`;
}

test('only the name of the model and the controls differ, whatever the object and its formatting', () => {
  const spliced = fc.property(objects, fc.string(), ({ mark, front, members, back }, model) => {
    const inside = members
      .map(({ name, before, colon, value, after }) => `${before}${name}${colon}:${colon}${value}${after}`)
      .join(',');
    const text = `${mark}${front}{${inside}${inside === '' ? back : ''}}${back}`;
    const body = bodyOf(text);
    const bytes = bodyFor(body, model);
    const result = Buffer.from(bytes).toString();
    const { onetake: _, ...kept } = body.value;
    assert.deepEqual(JSON.parse(result.replace(/^\uFEFF/, '')), JSON.parse(JSON.stringify({ ...kept, model })));

    const expected = `${mark}${front}{${expectedInside(members, model)}${inside === '' ? back : ''}}${back}`;
    assert.equal(result, expected);
    assert.equal(bytes === body.bytes, expected === text);
  });
  fc.assert(spliced, { numRuns: 3_000 });
});

test('bytes that nothing changes are the same object', () => {
  const body = bodyOf('{"model": "gpt\\u002d4", "x": 1}');
  assert.equal(bodyFor(body, 'gpt-4'), body.bytes);
});

test('each way of writing it', () => {
  assert.equal(sent('{}', 'm'), '{"model":"m"}');
  assert.equal(sent('{"a":1}', 'm'), '{"model":"m","a":1}');
  assert.equal(sent('{"onetake":{}}', 'm'), '{"model":"m"}');
  assert.equal(sent('{"model":"a","onetake":{"x":[1,"]"]}}', 'm'), '{"model":"m"}');
  assert.equal(sent('{ "onetake" : {} , "model" : "a" }', 'm'), '{ "model" : "m" }');
  assert.equal(sent('{"model":null,"b":{"model":"x"}}', 'm'), '{"model":"m","b":{"model":"x"}}');
  assert.equal(sent('{"model":"a","\\u006dodel":"b"}', 'm'), '{"model":"m","\\u006dodel":"m"}');
  assert.equal(sent('{"onetake":1,"a":1,"onetake":2,"onetake":3}', 'm"'), '{"model":"m\\"","a":1}');
  assert.equal(sent('\uFEFF {"model":"a"}\n', 'm'), '\uFEFF {"model":"m"}\n');
});

test('bytes that lie inside a larger buffer are read where they are', () => {
  const text = Buffer.from('{"model":"x"}{"model":"a","b":1}{');
  const bytes = new Uint8Array(text.buffer, text.byteOffset + 13, 19);
  assert.equal(Buffer.from(bodyFor({ bytes, value: { model: 'a', b: 1 } }, 'm')).toString(), '{"model":"m","b":1}');
});

test('a body that names its model again and again is written anew', () => {
  const text = `{"a":1,${'"model":"x","onetake":{},'.repeat(100_000)}"z":2}`;
  assert.equal(sent(text, 'm'), '{"a":1,"model":"m","z":2}');
});

test('a string of escaped quotes is passed once, not once for each', () => {
  const text = `{"x":"${'\\"'.repeat(2_000_000)}${'\\\\'.repeat(2_000_000)}","model":"a"}`;
  assert.ok(sent(text, 'm').endsWith('"model":"m"}'));
});
