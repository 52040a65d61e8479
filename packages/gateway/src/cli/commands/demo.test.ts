import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Config } from '../../config.ts';
import { cli, temporaryDirectory } from '../testing/cli.ts';
import { delivered, fakeGateway, type Reply } from '../testing/fake-gateway.ts';

const UNKNOWN: Reply = { status: 424, body: { error: { message: 'no verdict came', code: 'outcome_unknown' } } };
const FAILED: Reply = { status: 424, body: { error: { message: 'gone', code: 'gone' } } };

test('the demo compares both ways by the bill, keeps the picture and nothing else', async (t) => {
  const cwd = temporaryDirectory(t);
  let charged = 0;
  const charging = (reply: Reply) => {
    charged += 1;
    return reply;
  };
  const provider = await fakeGateway(t, ({ method }) =>
    method === 'GET' ? { body: { total: { requests: charged, charged } } } : charging(FAILED),
  );
  const gateway = await fakeGateway(t, ({ body }) => charging(body.includes('slow') ? delivered() : UNKNOWN));
  const configs: Config[] = [];
  const { exitCode, stdout } = await cli(t, ['demo'], {
    cwd,
    startGateway: async (config) => {
      configs.push(config);
      return { url: gateway.url, sandbox: { url: provider.url }, close: async () => {} };
    },
  });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^ {2}what the caller got {15}424 gone {3}the picture$/m);
  assert.match(
    stdout,
    /^ {2}directly: 1 charge, no picture \/ through Onetake: 1 charge, the picture delivered to the retry$/m,
  );
  assert.match(stdout, /through Onetake: 1 possible charge, a clear outcome_unknown, no second payment$/m);
  assert.deepEqual(readdirSync(cwd), ['onetake-demo.png']);
  const [config] = configs;
  assert(config !== undefined);
  assert.deepEqual([config.port, config.providers, existsSync(config.dataDir)], [0, [], false]);
});
