import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Reading, readAs } from '../testing/normaliser-rig.ts';

type Body = Parameters<typeof readAs>[1];

function kindOf(id: string, body: Body, status: number): Reading['kind'] {
  return readAs(id, body, { status }).kind;
}

const ENVELOPE = (message: string) => ({ error: { message, code: 'bad_request' } });
const SHAPES: Readonly<Record<string, readonly ((words: string) => Body)[]>> = {
  fireworks: [ENVELOPE, (error) => ({ error }), (message) => ({ message }), (detail) => ({ detail })],
  xai: [ENVELOPE, (error) => ({ error }), (error) => ({ code: 'invalid-argument', error })],
  deepinfra: [(error) => ({ detail: { error } }), (msg) => ({ detail: [{ loc: ['body', 'prompt'], msg }] })],
  recraft: [ENVELOPE, (message) => ({ code: 'bad_request', message })],
};

test('a refusal is known by its words, in every shape that a provider’s errors have', () => {
  for (const [id, shapes] of Object.entries(SHAPES)) {
    for (const shape of shapes) {
      for (const words of ['the prompt violates our content policy', 'blocked by the safety system', 'NSFW content']) {
        for (const status of [400, 403, 422]) {
          const { kind, certainty } = readAs(id, shape(words), { status });
          assert.deepEqual(
            [kind, certainty],
            ['policy', 'rejected'],
            `${id} ${status} ${JSON.stringify(shape(words))}`,
          );
        }
      }
    }
  }
});

test('the same words in a server’s failure, a throttle or a lost clock are no refusal', () => {
  for (const [id, shapes] of Object.entries(SHAPES)) {
    for (const shape of shapes) {
      const body = shape('the safety checker is not available');
      for (const status of [401, 402, 408, 409, 429, 500, 502, 503, 504]) {
        assert.notEqual(kindOf(id, body, status), 'policy', `${id} ${status} ${JSON.stringify(body)}`);
      }
    }
  }
});

test('what xAI made and then rejected is not told as unmade', () => {
  const error = 'Generated image rejected by content moderation.';
  for (const body of [{ error }, ENVELOPE(error), { code: 'invalid-argument', error }]) {
    const { kind, stage, certainty } = readAs('xai', body, { status: 400 });
    assert.deepEqual([kind, stage, certainty], ['policy', 'output', 'completed'], JSON.stringify(body));
  }
});
