import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { JsonObject } from '@onetake/core';
import fc from 'fast-check';
import { curlCommand, picturesInside } from './curl.ts';
import { keyExpression } from './key-expression.ts';
import { literally, quoted } from './sh.ts';

/** What a shell makes of a word. */
function echoed(word: string, env: Readonly<Record<string, string>> = {}): string {
  return execFileSync('/bin/sh', ['-c', `printf %s ${word}`], {
    env: { PATH: '/usr/bin:/bin', ...env },
    encoding: 'utf8',
  });
}

const hostile = fc.string({ unit: fc.constantFrom(...'\'"$`\\!*?~ \n\tab{}[]()&;|<>#%=@🦊é'), maxLength: 40 });

test('a quoted word is the same text in any shell; between double quotes nothing is expanded', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      assert.equal(echoed(quoted(text)), text);
      assert.equal(echoed(`"${literally(text)}"`), text);
    }),
    { numRuns: 60 },
  );
});

const PLACE = { header: 'authorization', prefix: 'Bearer ', form: 'plain' } as const;

test('a key is the variable that held it, the key of a pool its own, a file is read', () => {
  const one = { id: 'openai', keySource: 'OPENAI_API_KEY' };
  assert.equal(keyExpression(PLACE, 'openai', one, false), '$OPENAI_API_KEY');
  const pool = { id: 'openai', keySource: 'A, B', pool: { 'openai:A': 'x', 'openai:B': 'y' } };
  assert.equal(keyExpression(PLACE, 'openai:B', pool, false), '$B');
  const file = { id: 'my-lab', keySource: "/run/it's" };
  assert.equal(keyExpression(PLACE, 'my-lab', file, true), `$(cat '/run/it'\\''s')`);
  assert.equal(keyExpression(PLACE, 'my-lab', file, false), '$MY_LAB_API_KEY');
  assert.equal(keyExpression(PLACE, 'x', { id: 'x', keySource: undefined, played: {} }, false), 'sandbox');
  const encoded = keyExpression({ ...PLACE, prefix: 'Basic ', form: 'base64' }, 'openai', one, false);
  const long = 'user:a long password $with `things` in it that is longer than one line of base64 would usually be';
  assert.equal(echoed(`"${encoded}"`, { OPENAI_API_KEY: long }), Buffer.from(long).toString('base64'));
});

const VIEW: JsonObject = {
  method: 'POST',
  url: 'https://api.example/v1/x?a=[1]&b=it%27s',
  headers: { 'content-type': 'application/json', 'x-empty': '', authorization: 'Bearer $K' },
  key: { header: 'authorization', prefix: 'Bearer ', expression: '$K' },
  body: { kind: 'json', value: { prompt: "it's" }, pictures: [] },
};

test('a small body stands in the command, a large one in a file beside it', () => {
  assert.deepEqual(curlCommand(VIEW, 'replay-1', new Map()), {
    command: [
      "curl -sS --globoff 'https://api.example/v1/x?a=[1]&b=it%27s' \\",
      "  -H 'content-type: application/json' \\",
      "  -H 'x-empty;' \\",
      '  -H "authorization: Bearer $K" \\',
      "  -H 'accept:' \\",
      `  --data-binary '{"prompt":"it'\\''s"}'`,
    ].join('\n'),
    files: [],
  });
  const prompt = 'a'.repeat(5_000);
  const large = { ...VIEW, body: { kind: 'json', value: { prompt }, pictures: [] } };
  const { command, files } = curlCommand(large, 'replay-1', new Map());
  assert.ok(command.endsWith("--data-binary '@replay-1.json'"));
  assert.deepEqual(files, [{ name: 'replay-1.json', text: JSON.stringify({ prompt }) }]);
});

test('pictures go back to where they stood', () => {
  const place = {
    path: ['list', 1, 'data'],
    as: 'data-url',
    type: 'image/png',
    sha256: 'ab',
    url: 'http://g/v1/assets/ab.png',
  };
  const body = { kind: 'json', value: { list: [1, { data: '<png>' }] }, pictures: [place] };
  const view = { ...VIEW, body };
  assert.deepEqual(picturesInside(view), [{ sha256: 'ab', url: 'http://g/v1/assets/ab.png' }]);
  const { command } = curlCommand(view, 'r', new Map([['ab', Buffer.from('xyz')]]));
  assert.ok(command.includes('{"list":[1,{"data":"data:image/png;base64,eHl6"}]}'), command);
  assert.throws(() => curlCommand(view, 'r', new Map()), /not at hand/);
});

test('fields of a form are never read as files; long ones are, by intent; a name with = cannot be said', () => {
  const parts = [
    { name: 'prompt', value: '@/etc/passwd' },
    { name: 'long', value: 'b'.repeat(5_000) },
    {
      name: 'image[]',
      filename: 'image.png',
      type: 'image/png',
      bytes: 3,
      sha256: 'cd',
      url: 'http://g/v1/assets/cd.png',
    },
  ];
  const { command, files } = curlCommand({ ...VIEW, body: { kind: 'form', parts } }, 'r', new Map());
  assert.ok(command.includes("--form-string 'prompt=@/etc/passwd'"), command);
  assert.ok(command.includes("-F 'long=<r-2.txt'"), command);
  assert.ok(command.includes(`-F 'image[]=@r-3.png;filename="image.png";type=image/png'`), command);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['r-2.txt', 'r-3.png'],
  );
  const odd = { ...VIEW, body: { kind: 'form', parts: [{ name: 'a=b', value: 'c' }] } };
  assert.throws(() => curlCommand(odd, 'r', new Map()), /cannot send a form field/);
});
