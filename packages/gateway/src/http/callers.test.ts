import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCallers } from './callers.ts';
import { RequestProblem } from './problem.ts';

const identify = createCallers([
  { name: 'web', key: 'key-of-web' },
  { name: 'batch', key: 'key-of-batch' },
]);

function call(...rawHeaders: string[]): string {
  try {
    return identify({ rawHeaders });
  } catch (error) {
    assert.ok(error instanceof RequestProblem);
    assert.deepEqual([error.status, error.code, error.type], [401, 'invalid_api_key', 'authentication_error']);
    assert.ok(!error.message.includes('key-of'), 'a key is never echoed');
    return error.message;
  }
}

test('a key names its caller, in whichever header clients put it', () => {
  assert.equal(call('Authorization', 'Bearer key-of-web'), 'web');
  assert.equal(call('authorization', 'bearer key-of-batch'), 'batch');
  assert.equal(call('X-API-Key', 'key-of-batch'), 'batch');
  assert.equal(call('api-key', 'key-of-web'), 'web');
  assert.equal(call('Authorization', 'Bearer key-of-web', 'api-key', 'key-of-web'), 'web');
});

test('each way to get it wrong has its own sentence', () => {
  const cases: [string[], RegExp][] = [
    [[], /no Authorization header/],
    [['Authorization', ''], /header is empty/],
    [['Authorization', 'key-of-web'], /does not begin with "Bearer "/],
    [['Authorization', 'Basic key-of-web'], /does not begin with "Bearer "/],
    [['Authorization', 'Bearer'], /nothing follows "Bearer"/],
    [['Authorization', 'Bearer  key-of-web'], /stray white space/],
    [['Authorization', 'Bearer key-of-web x'], /stray space/],
    [['Authorization', 'Bearer "key-of-web"'], /quotes/],
    [['Authorization', 'Bearer key-of-web,key-of-batch'], /two values/],
    [['Authorization', 'Bearer key-of-web', 'Authorization', 'Bearer key-of-batch'], /two different keys/],
    [['Authorization', 'Bearer key-of-web', 'x-api-key', 'key-of-batch'], /two different keys/],
    [['Authorization', 'Bearer key-of-nobody'], /not one of ONETAKE_API_KEYS/],
    [['x-api-key', ''], /x-api-key header is empty/],
  ];
  for (const [rawHeaders, expected] of cases) assert.match(call(...rawHeaders), expected);
});

test('without keys everybody is the one local caller, whatever they send', () => {
  const open = createCallers([]);
  assert.equal(open({ rawHeaders: [] }), 'local');
  assert.equal(open({ rawHeaders: ['Authorization', 'nonsense "'] }), 'local');
});
