/** The ledger against the provider's own bill: equal where outcomes are known, a bound where they are not. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type Answer, call, generate } from './rig/call.ts';
import { HELLO } from './rig/chat.ts';
import { ONETAKE, type RunningGateway, startGateway } from './rig/gateway.ts';
import { adminOf, costsOf } from './rig/money.ts';
import { until } from './rig/poll.ts';
import { runFile } from './rig/processes.ts';

const YAML = `
routes:
  second: {targets: ["sandbox/404", sandbox/second]}
  cached: {targets: [sandbox/cached], cache: on}
`;
/** What the sandbox takes for a picture. */
const PICTURE_USD = 0.04;
const WAIT_MS = 20_000;

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({ yaml: YAML });
});
after(() => gateway?.close());

function draw(model: string, prompt: string, fields: object = {}): Promise<Answer> {
  return generate(gateway.url, { model, prompt, ...fields });
}

function talk(model: string, fields: object = {}): Promise<Answer> {
  return call(`${gateway.url}/v1/chat/completions`, { body: { model, messages: HELLO, ...fields } });
}

async function billedUsd(): Promise<number> {
  const { body } = await call(`${gateway.sandboxUrl}/ledger`);
  return (body.total as { charged_usd: number }).charged_usd;
}

/** What the ledger has grown by once `requests` are in it, and the bill of the provider with it. */
async function costOf(requests: number, work: () => Promise<unknown>) {
  const [before, billBefore] = [(await costsOf(gateway)).total, await billedUsd()];
  await work();
  const { total } = await until(
    'everything is booked',
    async () => {
      const now = await costsOf(gateway);
      return (now.total.requests ?? 0) - (before.requests ?? 0) >= requests && now;
    },
    WAIT_MS,
  );
  const grown = (column: string) => rounded((total[column] ?? 0) - (before[column] ?? 0));
  return { grown, billed: rounded((await billedUsd()) - billBefore) };
}

/** Dollars to the millionth. */
function rounded(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}

suite('every outcome is known: the sums are the bill', () => {
  test('pictures, one or several, and a chat', async () => {
    const { grown, billed } = await costOf(4, async () => {
      await draw('sandbox/ok', 'one');
      await draw('sandbox/ok', 'three', { n: 3 });
      await talk('sandbox/ok');
      const streamed = { stream: true, stream_options: { include_usage: true } };
      await talk('sandbox/ok', streamed);
    });
    assert.ok(billed > 4 * PICTURE_USD);
    assert.deepEqual([grown('spent_usd'), grown('images'), grown('unpriced')], [billed, 4, 0]);
    assert.deepEqual([grown('retried_usd'), grown('fallback_usd'), grown('possible_usd')], [0, 0, 0]);
  });

  test('a retry and a fallback are spent in their own columns too', async () => {
    const { grown, billed } = await costOf(2, async () => {
      assert.equal((await draw('sandbox/429:0,ok', 'again')).status, 200);
      assert.equal((await draw('second', 'elsewhere')).status, 200);
    });
    assert.deepEqual([grown('spent_usd'), billed], [2 * PICTURE_USD, 2 * PICTURE_USD]);
    assert.deepEqual([grown('retried_usd'), grown('fallback_usd')], [PICTURE_USD, PICTURE_USD]);
  });

  test('a refusal costs what was made for it', async () => {
    const { grown, billed } = await costOf(2, async () => {
      assert.equal((await draw('sandbox/policy', 'no')).status, 400);
      assert.equal((await draw('sandbox/policy-output', 'seen')).status, 400);
    });
    assert.deepEqual([grown('refused'), grown('refused_usd')], [2, PICTURE_USD]);
    assert.deepEqual([grown('spent_usd'), billed], [PICTURE_USD, PICTURE_USD]);
  });

  test('what is done and not usable is spent, what was not done is free', async () => {
    const { grown, billed } = await costOf(4, async () => {
      assert.equal((await draw('sandbox/truncated', 'cut')).status, 424);
      assert.equal((await draw('sandbox/zero', 'nothing')).status, 424);
      assert.equal((await draw('sandbox/401', 'who')).status, 502);
      assert.equal((await draw('sandbox/quota', 'how much')).status, 429);
    });
    assert.deepEqual([grown('spent_usd'), billed, grown('unknown')], [2 * PICTURE_USD, 2 * PICTURE_USD, 0]);
  });

  test('what the cache answers is saved, and not spent', async () => {
    const { grown, billed } = await costOf(4, async () => {
      for (let request = 0; request < 4; request += 1) await draw('cached', 'the same');
    });
    assert.deepEqual([grown('requests'), grown('attempts'), grown('cached')], [4, 1, 3]);
    assert.deepEqual([grown('spent_usd'), grown('saved_usd')], [PICTURE_USD, rounded(3 * PICTURE_USD)]);
    assert.equal(billed, PICTURE_USD);
  });
});

test('where outcomes are unknown the bill lies between what is spent and that with what is possible', async () => {
  const { grown, billed } = await costOf(5, async () => {
    assert.equal((await draw('sandbox/reset-after-accept', 'lost')).status, 424);
    assert.equal((await draw('sandbox/503', 'bare')).status, 424);
    assert.equal((await draw('sandbox/500-billed', 'failed')).status, 424);
    await talk('sandbox/reset-after-accept');
    await talk('sandbox/die-mid-stream', { stream: true });
  });
  const [spent, possible] = [grown('spent_usd'), grown('possible_usd')];
  assert.ok(grown('unknown') >= 4, `${grown('unknown')} unknown`);
  assert.ok(spent <= billed && billed <= rounded(spent + possible), `${spent} ≤ ${billed} ≤ ${spent} + ${possible}`);
});

suite('as it is read', () => {
  const run = async (args: readonly string[]) => {
    const running = runFile(ONETAKE, args, {
      cwd: gateway.home,
      env: { ONETAKE_URL: gateway.url, ONETAKE_DATA: join(gateway.home, 'data') },
    });
    return { exitCode: await running.ended(WAIT_MS), stdout: running.stdout(), stderr: running.stderr() };
  };

  test('groups add up to the total, by every dimension', async () => {
    const { total } = await costsOf(gateway);
    for (const by of ['model', 'provider', 'route', 'key', 'day', 'hour', 'kind', 'model,key,day']) {
      const { data } = await costsOf(gateway, `&by=${by}`);
      assert.ok(data.length > 0);
      for (const column of ['attempts', 'images', 'spent_usd', 'possible_usd', 'saved_usd', 'refused', 'unknown'])
        assert.equal(
          rounded(data.reduce((sum, row) => sum + (row[column] ?? 0), 0)),
          rounded(total[column] ?? 0),
          `${column} by ${by}`,
        );
    }
  });

  test('the command line prints the same, as a table, lines or JSON', async () => {
    const { total } = await costsOf(gateway);
    const table = await run(['costs', '--by', 'model,key,day', '--since', '1d']);
    assert.deepEqual([table.exitCode, table.stderr], [0, '']);
    assert.match(table.stdout, /^model +key +day +requests +images +spent +retried/);
    const totalLine = table.stdout.split('\n').find((line) => line.startsWith('total'));
    assert.ok(
      totalLine?.includes(
        `$${Number(total.spent_usd)
          .toFixed(6)
          .replace(/0{1,4}$/, '')}`,
      ),
      table.stdout,
    );
    const csv = (await run(['costs', '--by', 'key,kind', '--csv'])).stdout.trimEnd().split('\n');
    const column = csv[0]?.split(',').indexOf('spent_usd') ?? -1;
    const spent = csv.slice(1).reduce((sum, line) => sum + Number(line.split(',')[column]), 0);
    assert.equal(rounded(spent), rounded(total.spent_usd ?? 0));
    const json = JSON.parse((await run(['costs', '--json'])).stdout);
    assert.equal(json.total.spent_usd, total.spent_usd);
  });

  test('a failure is told once, with how often and what to do', async () => {
    for (let request = 0; request < 3; request += 1) await draw('sandbox/policy', `no ${request}`);
    const { body } = await call(`${gateway.url}/v1/failures`, { headers: adminOf(gateway) });
    const group = body.data?.find(({ target }) => target === 'sandbox/policy');
    assert.deepEqual([group?.count, group?.code, group?.keys], [4, 'content_policy_violation', ['local']]);
    const { stdout } = await run(['failures', '--since', '1h']);
    assert.match(stdout, /^4 × content_policy_violation at sandbox\/policy$/m);
    assert.match(stdout, /→ The provider refused the content; change the prompt/);
  });
});
