import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cli } from '../testing/cli.ts';

/** Runs `onetake explain …`, which needs no gateway. */
function explain(t: TestContext, args: readonly string[], input: readonly string[] = []) {
  async function* stdin() {
    for (const chunk of input) yield new TextEncoder().encode(chunk);
  }
  return cli(t, ['explain', ...args], { stdin: stdin() });
}

test('an error that is known is told with who acts and what helps', async (t) => {
  const { exitCode, stdout } = await explain(t, ['Your organization must be verified']);
  assert.equal(
    stdout,
    `openai · organization must be verified (403)
  means  OpenAI opens this model only to organisations whose owner proved who they are.
  who    the owner of the account at the provider
  retry: no · another key: only of a verified organisation · fallback: yes · billed: no
  when   not before the organisation is verified, and up to 15 minutes after
  do     Have the owner verify the organisation in OpenAI’s organisation settings; access follows
         within about 15 minutes. Until then use another model or provider.
`,
  );
  assert.equal(exitCode, 0);
});

test('words need no quotes, and the provider may be told', async (t) => {
  const { exitCode, stdout } = await explain(t, ['content_policy_violation', '--provider', 'fal']);
  assert.match(stdout, /^fal · refused by a content checker \(422\)\n/);
  assert.match(stdout, /link {3}https:\/\/docs\.fal\.ai\/errors\n/);
  assert.equal(exitCode, 0);
  assert.match((await explain(t, ['Too', 'many', 'active', 'tasks'])).stdout, /^bfl · /);
});

test('a dash reads standard input', async (t) => {
  const { exitCode, stdout } = await explain(t, ['-'], ['{"error":{"code":"insuffi', 'cient_quota"}}']);
  assert.match(stdout, /^openai · no quota left \(429\)/);
  assert.equal(exitCode, 0);
});

test('what is not known shows what is near, its class, and exits 1', async (t) => {
  const near = await explain(t, ['You have exceded your curent quota']);
  assert.match(near.stdout, /^not known; nearest:\n\nopenai · no quota left/);
  assert.match(near.stdout, /its class: quota\n/);
  assert.equal(near.exitCode, 1);
  const nothing = await explain(t, ['xyzzy']);
  assert.deepEqual([nothing.exitCode, nothing.stdout], [1, 'nothing like it is known here\n']);
});

test('--json is what the API answers', async (t) => {
  const { stdout } = await explain(t, ['ECONNREFUSED', '--json']);
  const body = JSON.parse(stdout);
  assert.deepEqual([body.object, body.known, body.data[0].id], ['explanation', true, 'network/econnrefused']);
  assert.equal(body.data[0].match, undefined);
});

test('an unknown provider and an empty text are wrong usage', async (t) => {
  const unknown = await explain(t, ['429', '--provider', 'nobody']);
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /--provider nobody: nobody of that name is known; it is one of openai, azure/);
  assert.equal((await explain(t, ['-'], ['  '])).exitCode, 2);
  assert.equal((await explain(t, [])).exitCode, 2);
});
