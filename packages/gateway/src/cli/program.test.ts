import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cli } from './testing/cli.ts';

test('--version and --help go to stdout', async (t) => {
  assert.deepEqual(await cli(t, ['--version']), { exitCode: 0, stdout: '1.2.3\n', stderr: '' });
  const help = await cli(t, ['--help']);
  assert.equal(help.exitCode, 0);
  for (const word of [
    'start',
    'generate',
    'batch',
    'demo',
    'sandbox',
    'generations',
    'OPENAI_BASE_URL',
    'ONETAKE_PORT',
  ]) {
    assert.match(help.stdout, new RegExp(word));
  }
});

const WRONG: readonly (readonly [args: string, says: RegExp])[] = [
  ['generat', /^onetake: unknown command 'generat'\n\(Did you mean generate\?\)/],
  ['generate fox', /^onetake: required option '-o, --output <file>' not specified/],
  ['generate -o a.png', /^onetake: missing required argument 'prompt'/],
  ['generate fox -o a.png --n 11', /--n <n>' argument '11' is invalid. expected a whole number from 1 to 10/],
  [
    'generate fox -o a.png --format gif',
    /--format <format>' argument 'gif' is invalid. Allowed choices are png, jpeg, webp/,
  ],
  ['generate fox -o none/a.png', /none does not exist; make the directory or choose another -o/],
  ['generate fox -o .', /is a directory; -o takes the name of a file/],
  ['sandbox --port 70000', /expected a whole number from 0 to 65535/],
  ['sandbox --limit images=x', /^onetake: --limit: limit "images=x": /],
  ['start now', /too many arguments/],
];
for (const [args, says] of WRONG) {
  test(`onetake ${args}: wrong usage`, async (t) => {
    const { exitCode, stdout, stderr } = await cli(t, args.split(' '));
    assert.match(stderr, says);
    assert.deepEqual({ exitCode, stdout }, { exitCode: 2, stdout: '' });
  });
}

test('a wrong configuration lists its faults', async (t) => {
  const { exitCode, stderr } = await cli(t, [], { env: { ONETAKE_PORT: 'x', ONETAKE_HOST: '::' } });
  assert.equal(exitCode, 2);
  assert.match(stderr, /^onetake: the configuration has 2 faults:\n {2}ONETAKE_HOST: .*\n {2}ONETAKE_PORT: /);
});

test('the executable of a clone runs under the Node at hand', () => {
  const executable = fileURLToPath(import.meta.resolve('../../bin/onetake.js'));
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  assert.equal(execFileSync(process.execPath, [executable, '--version'], { encoding: 'utf8' }), `${version}\n`);
});
