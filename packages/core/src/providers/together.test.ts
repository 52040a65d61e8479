import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleRequest } from '../testing/samples.ts';
import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/together.json' with { type: 'json' };
import { together } from './together.ts';

testProvider(together, providerFixtures(fixtures));

test('width and height go in the place of the size, and base64 is called base64', () => {
  const context = { runId: 'run', attempt: 1, baseUrl: 'https://provider.example/v1', model: 'a/b' };
  const built = together.image?.submit.build(sampleRequest({ size: '1024x768', n: 2 }), context);
  assert.partialDeepStrictEqual(built?.body, {
    value: { width: 1024, height: 768, n: 2, response_format: 'base64', prompt: 'a lighthouse' },
  });
});

test('what has the shape of a model is one, and nothing else is', () => {
  assert.ok(together.model('someone/their-model'));
  assert.deepEqual(
    [together.model('flux'), together.model('a/b/c'), together.model('../x')],
    [undefined, undefined, undefined],
  );
});
