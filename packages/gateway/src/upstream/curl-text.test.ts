import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@onetake/core';
import { curlCommand } from './curl.ts';
import { curlText } from './curl-text.ts';

const VIEW: JsonObject = {
  ...{ generation: 'gen_1', run: 0, attempt: 2, method: 'POST', url: 'https://api.example/v1/x', stand_ins: [] },
  headers: { 'content-type': 'application/json', authorization: 'Bearer $K' },
  key: { header: 'authorization', prefix: 'Bearer ', expression: '$K' },
  body: { kind: 'json', value: { prompt: "it's" }, pictures: [] },
};
const PICTURE = { type: 'image/png', sha256: 'ab', url: 'http://g/v1/assets/ab.png' };

test('a small request is the command itself', () => {
  assert.equal(curlText(VIEW), curlCommand(VIEW, 'replay-gen_1', new Map()).command);
});

test('a body with a picture inside, or a long one, is left to the CLI, which the text says', () => {
  const places = [{ path: ['image'], as: 'base64', ...PICTURE }];
  const withPicture = { kind: 'json', value: { image: '<png>' }, pictures: places };
  const long = { kind: 'json', value: { prompt: 'a'.repeat(5_000) }, pictures: [] };
  for (const body of [withPicture, long]) {
    const text = curlText({ ...VIEW, body });
    const [first, ...rest] = text.split('\n');
    assert.match(first ?? '', /^# replay-gen_1\.json .*onetake replay gen_1 --curl --run 0 --attempt 2$/);
    assert.ok(rest.join('\n').endsWith("--data-binary '@replay-gen_1.json'"), text);
    assert.ok(text.length < 1_000);
  }
});

test('pictures of a form are fetched first', () => {
  const parts = [
    { name: 'prompt', value: 'p' },
    { name: 'image[]', filename: 'image.png', bytes: 3, ...PICTURE },
  ];
  const [first, second] = curlText({ ...VIEW, body: { kind: 'form', parts } }).split('\n');
  assert.equal(first, "curl -sS -o 'replay-gen_1-2.png' 'http://g/v1/assets/ab.png'");
  assert.ok(second?.startsWith('curl -sS --globoff'));
});

test('what no command can send is told in a comment', () => {
  const odd = { ...VIEW, body: { kind: 'form', parts: [{ name: 'a=\nb', value: 'c' }] } };
  for (const view of [odd, { ...VIEW, stand_ins: ['<upload 1>'] }]) {
    assert.match(curlText(view), /^# no command can send the same: [^\n]+$/);
  }
});

test('what a terminal would obey is never pasted into one', () => {
  for (const body of [
    { kind: 'form', parts: [{ name: 'prompt', value: 'a fox\u001b[201~\nrm -rf ~\n' }] },
    { kind: 'json', value: { prompt: 'a fox\u001b[201~\nrm -rf ~\n' }, pictures: [] },
  ])
    assert.doesNotMatch(curlText({ ...VIEW, body }), /[^\P{Cc}\n]/u);
});
