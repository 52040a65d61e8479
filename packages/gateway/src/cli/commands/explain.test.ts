import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, CommanderError } from 'commander';
import { exitCodeOf, messageOf } from '../exit.ts';
import { describeExplain } from './explain.ts';

/** Runs `onetake explain …`, which needs no gateway. */
async function explain(args: readonly string[], input: readonly string[] = []) {
  const printed = { stdout: '', stderr: '' };
  const output = (stream: keyof typeof printed) => ({
    write: (text: string) => {
      printed[stream] += text;
    },
  });
  async function* stdin() {
    for (const chunk of input) yield new TextEncoder().encode(chunk);
  }
  const context = {
    env: {},
    cwd: '/',
    stdin: stdin(),
    stdout: output('stdout'),
    stderr: output('stderr'),
    signal: new AbortController().signal,
    startGateway: () => Promise.reject(new Error('no gateway may start in this test')),
  };
  let exitCode = 0;
  const program = new Command('onetake').exitOverride().configureOutput({ writeErr: output('stderr').write });
  describeExplain(program.command('explain'), context, async (command) => {
    exitCode = await command;
  });
  try {
    await program.parseAsync(['explain', ...args], { from: 'user' });
  } catch (error) {
    exitCode = error instanceof CommanderError ? 2 : exitCodeOf(error);
    if (!(error instanceof CommanderError)) printed.stderr += messageOf(error);
  }
  return { exitCode, ...printed };
}

test('an error that is known is told with who acts and what helps', async () => {
  const { exitCode, stdout } = await explain(['Your organization must be verified']);
  assert.equal(
    stdout,
    `openai · organization must be verified (403)
  means  OpenAI opens this model only to organisations whose owner proved who they are.
  who    the owner of the account at the provider
  retry: no · another key: only of a verified organisation · fallback: yes · billed: no
  when   not before the organisation is verified, and up to 15 minutes after
  do     Have the owner verify the organisation in OpenAI’s organisation settings; access follows within about 15 minutes. Until then use another model or provider.
`,
  );
  assert.equal(exitCode, 0);
});

test('words need no quotes, and the provider may be told', async () => {
  const { exitCode, stdout } = await explain(['content_policy_violation', '--provider', 'fal']);
  assert.match(stdout, /^fal · refused by a content checker \(422\)\n/);
  assert.match(stdout, /link {3}https:\/\/docs\.fal\.ai\/errors\n/);
  assert.equal(exitCode, 0);
  assert.match((await explain(['Too', 'many', 'active', 'tasks'])).stdout, /^bfl · /);
});

test('a dash reads standard input', async () => {
  const { exitCode, stdout } = await explain(['-'], ['{"error":{"code":"insuffi', 'cient_quota"}}']);
  assert.match(stdout, /^openai · no quota left \(429\)/);
  assert.equal(exitCode, 0);
});

test('what is not known shows what is near, its class, and exits 1', async () => {
  const near = await explain(['You have exceded your curent quota']);
  assert.match(near.stdout, /^not known; nearest:\n\nopenai · no quota left/);
  assert.match(near.stdout, /its class: quota\n/);
  assert.equal(near.exitCode, 1);
  const nothing = await explain(['xyzzy']);
  assert.deepEqual([nothing.exitCode, nothing.stdout], [1, 'nothing like it is known here\n']);
});

test('--json is what the API answers', async () => {
  const { stdout } = await explain(['ECONNREFUSED', '--json']);
  const body = JSON.parse(stdout);
  assert.deepEqual([body.object, body.known, body.data[0].id], ['explanation', true, 'network/econnrefused']);
  assert.equal(body.data[0].match, undefined);
});

test('an unknown provider and an empty text are wrong usage', async () => {
  const unknown = await explain(['429', '--provider', 'nobody']);
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /--provider nobody: nobody of that name is known; it is one of openai, azure/);
  assert.equal((await explain(['-'], ['  '])).exitCode, 2);
  assert.equal((await explain([])).exitCode, 2);
});
