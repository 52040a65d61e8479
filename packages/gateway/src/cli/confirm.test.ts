import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { confirmed } from './confirm.ts';
import { EXIT } from './exit.ts';

function terminal(answer?: string) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  if (answer !== undefined) stdin.end(answer);
  const shown: string[] = [];
  return { stdin, shown, stderr: { write: (text: string) => shown.push(text) }, signal: new AbortController().signal };
}

test('only a yes is a yes', async () => {
  for (const [answer, expected] of [
    ['y\n', true],
    ['YES\n', true],
    ['\n', false],
    ['yesterday\n', false],
    ['', false],
  ] as const) {
    const asked = terminal(answer);
    assert.equal(await confirmed('it costs $1; go on?', asked), expected, answer);
    assert.deepEqual(asked.shown, ['it costs $1; go on? [y/N] ']);
  }
});

test('an interrupt is no yes', async () => {
  const abort = new AbortController();
  const asked = confirmed('go on?', { ...terminal(), signal: abort.signal });
  abort.abort();
  assert.equal(await asked, false);
});

test('without a terminal nobody is asked: a fault of usage says what agrees beforehand', async () => {
  const { stderr, signal } = terminal();
  const stdin = new PassThrough();
  for (const asked of [
    { stderr, signal },
    { stdin, stderr, signal },
  ])
    await assert.rejects(confirmed('go on?', asked), (error: Error & { exitCode?: number }) => {
      return error.exitCode === EXIT.usage && error.message.includes('--yes');
    });
});
