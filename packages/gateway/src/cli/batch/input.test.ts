import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INPUT_LIMITS, readInput } from './input.ts';
import { bodyOf, paidAttemptsOf, problemOf } from './request.ts';

const read = (text: string, name = 'stdin') => readInput(Buffer.from(text), name);
const prompts = (text: string, name?: string) => read(text, name).lines.map(({ line, input }) => [line, input.prompt]);

test('JSONL: objects with any field, or texts; blank lines are counted and passed over', () => {
  const { format, lines } = read('\ufeff{"prompt":"a fox","n":2}\r\n\n"a bear"\n', 'p.jsonl');
  assert.equal(format, 'jsonl');
  assert.deepEqual(lines, [
    { line: 1, input: { prompt: 'a fox', n: 2 } },
    { line: 3, input: { prompt: 'a bear' } },
  ]);
});

test('a line that is no JSON is one with a problem, and the others are read', () => {
  const { lines } = read('{"prompt":\n[1]\n7\n{"prompt":"x"}\n', 'p.jsonl');
  assert.deepEqual(
    lines.map(({ line, problem }) => [line, problem?.message.split(';')[0]]),
    [
      [1, 'it is not JSON'],
      [2, 'it is an array'],
      [3, 'it is number'],
      [4, undefined],
    ],
  );
  assert.deepEqual(lines[0]?.input, { unread: '{"prompt":' });
});

test('CSV: columns are fields, numbers are numbers, and a line is where its row begins', () => {
  const text = 'prompt,n,size,onetake[payment]\n"a fox,\nand ""snow""",2,64x64,strict\n\n,,,\r\na bear,,,\n';
  assert.deepEqual(read(text, 'p.csv').lines, [
    { line: 2, input: { prompt: 'a fox,\nand "snow"', n: 2, size: '64x64', onetake: { payment: 'strict' } } },
    { line: 6, input: { prompt: 'a bear' } },
  ]);
  const [wide, broken] = read('prompt,onetake\nred, big fox,{},x\nok,{\n', 'p.csv').lines;
  assert.match(wide?.problem?.message ?? '', /onetake: " big fox" is not a JSON object|stands in no named column/);
  assert.match(broken?.problem?.message ?? '', /onetake: "{" is not a JSON object/);
});

test('a CSV file that cannot be told apart is refused as a whole', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['text,n\na,1\n', /p\.csv: its first row has no column "prompt" \(it has text, n\)/],
    ['prompt,n,n\na,1,2\n', /two columns are named "n"/],
    ['prompt,n\n"a,1\n', /cannot be read as CSV: Quote Not Closed/],
    ['', /no column "prompt"/],
  ];
  for (const [text, says] of wrong) assert.throws(() => read(text, 'p.csv'), says);
});

test('without a telling extension the first line decides', () => {
  assert.equal(read('{"prompt":"x"}\n').format, 'jsonl');
  assert.equal(read('n,Prompt\n1,x\n'.toLowerCase()).format, 'csv');
  assert.equal(read('a fox, in snow\n').format, 'lines');
  assert.deepEqual(prompts('{not json\n  a bear  \n'), [
    [1, '{not json'],
    [2, 'a bear'],
  ]);
  assert.deepEqual(prompts('"quoted", she said\n', 'p.txt'), [[1, '"quoted", she said']]);
  assert.throws(() => read('[{"prompt":"x"}]'), /one JSON array; write one object per line/);
});

test('bounds: bytes, lines, encoding, nothing at all', () => {
  assert.throws(() => read('x\n'.repeat(INPUT_LIMITS.lines + 1)), /100001 lines are more than the 100000/);
  assert.throws(() => readInput(Buffer.from([0xff, 0xfe, 0x41]), 'p.txt'), /it is not UTF-8/);
  assert.throws(() => read('\n \n'), /there is no line in it/);
  assert.throws(() => readInput(new Uint8Array(INPUT_LIMITS.bytes + 1), 'p.txt'), /larger than/);
});

test('failed.jsonl can be an input: what it added is left out', () => {
  const failed = '{"prompt":"x","n":2,"line":7,"code":"c","kind":null,"message":"m","billed":"no","generation":null}';
  assert.deepEqual(read(failed, 'failed.jsonl').lines, [{ line: 1, input: { prompt: 'x', n: 2 } }]);
});

test('a line says more than the command, and both say controls', () => {
  const fields = { model: 'm', size: '64x64', onetake: { payment: 'strict', fallback: 'off' } };
  const input = { prompt: 'x', size: '32x32', response_format: 'b64_json', onetake: { payment: 'available' } };
  const body = bodyOf({ input }, fields);
  assert.deepEqual(body, {
    model: 'm',
    size: '32x32',
    prompt: 'x',
    onetake: { payment: 'available', fallback: 'off' },
  });
  assert.deepEqual([paidAttemptsOf(body), paidAttemptsOf(bodyOf({ input: { prompt: 'x' } }, fields))], [2, 1]);
});

test('what the gateway would refuse is told with the line', () => {
  const problems: readonly (readonly [object, RegExp])[] = [
    [{ prompt: ' ' }, /^prompt: " " is not a text that says something; change it$/],
    [{ prompt: 'x', n: 11 }, /^n: 11 is not a whole number from 1 to 10/],
    [{ prompt: 'x', image: 'a.png' }, /^image: a batch generates and does not edit/],
    [{ prompt: 'x', stream: true }, /^stream: nobody watches a batch/],
    [{ prompt: 'x', model: '' }, /^model: it is missing/],
    [{ prompt: 'x', onetake: { payments: 'strict' } }, /^onetake\.payments: there is no such control; did you mean/],
  ];
  for (const [input, says] of problems) {
    assert.match(problemOf({ line: 1, input: { ...input } }, { model: 'm' })?.message ?? '', says);
  }
  assert.equal(problemOf({ line: 1, input: { prompt: 'x' } }, { model: 'm' }), undefined);
});
