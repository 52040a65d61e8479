import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { call } from './call.ts';
import { type RunningGateway, startGateway } from './gateway.ts';
import { type CancelWords, type Expected, entryOf, playedYaml, type Subject } from './imitated-providers.ts';
import { type Count, readLedger } from './ledger.ts';
import { until } from './poll.ts';
import { finishedTask, submitTask } from './tasks.ts';

/** One way a request can go, at every provider that can go it. */
export interface Scenario {
  /** What the sandbox plays. */
  readonly script: string;
  readonly n?: number;
  readonly timeoutMs?: number;
  /** It ends no sooner than this. */
  readonly takesMs?: number;
  readonly only?: 'jobs' | 'links' | 'several' | 'single';
  readonly expected: Expected;
}

const AT_ONCE = 10;
const picture = (requests: number): Expected => ({ status: 200, requests, charged: 1 });
const refused = (status: number, code: string, kind: string): Expected => {
  return { status, code, kind, certainty: 'rejected', billed: 'no', requests: 1, charged: 0 };
};
const blocked = refused(400, 'content_policy_violation', 'policy');
const failed: Expected = {
  ...{ status: 424, code: 'generation_failed', kind: 'server', certainty: 'failed', billed: 'maybe' },
  ...{ requests: 2, charged: 0 },
};
const unknown = (kind: string): Expected => {
  return {
    status: 424,
    code: 'outcome_unknown',
    kind,
    certainty: 'ambiguous',
    billed: 'maybe',
    requests: 1,
    charged: 1,
  };
};

/** Three of four pictures: one request brings one fewer, or one of four requests fails. */
const PARTIAL: readonly Scenario[] = [
  { script: 'partial', n: 4, only: 'several', expected: { status: 200, missing: 1, requests: 1, charged: 3 } },
  { script: 'ok,ok,400,ok', n: 4, only: 'single', expected: { status: 200, missing: 1, requests: 4, charged: 3 } },
];

/** With the defaults, which pay again for what the provider says it tried and failed at, and for nothing else. */
export const PAID: readonly Scenario[] = [
  { script: 'ok', expected: picture(1) },
  { script: 'ok', n: 2, expected: { ...picture(1), charged: 2 } },
  ...PARTIAL,
  { script: 'slow:1', takesMs: 1_000, expected: picture(1) },
  { script: 'policy', expected: { ...blocked, stage: 'input' } },
  {
    script: 'policy-output',
    expected: { ...blocked, certainty: 'completed', billed: 'yes', charged: 1, stage: 'output' },
  },
  { script: 'quota', expected: refused(429, 'insufficient_quota', 'quota') },
  { script: '402', expected: refused(402, 'insufficient_balance', 'billing') },
  { script: '401', expected: refused(502, 'provider_authentication', 'authentication') },
  { script: '429:1,ok', takesMs: 1_000, expected: picture(2) },
  { script: '500', expected: failed },
  { script: '500,ok', expected: picture(2) },
  { script: 'failed', only: 'jobs', expected: { ...failed, charged: 2 } },
  { script: 'poll-500:0.2', only: 'jobs', expected: picture(1) },
  { script: 'reset-after-accept', expected: unknown('network') },
  { script: 'submit-lost', only: 'jobs', expected: unknown('network') },
  { script: 'hang-after-accept', timeoutMs: 4_000, expected: unknown('timeout') },
  { script: 'flaky-download', only: 'links', expected: picture(1) },
  {
    ...{ script: 'expired-url', only: 'links' },
    expected: { ...unknown('corrupt'), code: 'corrupt_image', certainty: 'completed', billed: 'yes' },
  },
];

/** Nothing is billed, so what is lost is made again, and an error may be a 5xx. */
export const FREE: readonly Scenario[] = [
  { script: 'ok', expected: picture(1) },
  { script: 'ok', n: 2, expected: { ...picture(1), charged: 2 } },
  ...PARTIAL,
  { script: 'slow:1', takesMs: 1_000, expected: picture(1) },
  { script: '401', expected: refused(502, 'provider_authentication', 'authentication') },
  { script: '429:1,ok', takesMs: 1_000, expected: picture(2) },
  { script: '500,ok', expected: picture(2) },
  { script: 'failed,ok', only: 'jobs', expected: picture(2) },
  { script: 'poll-500:0.2', only: 'jobs', expected: picture(1) },
  { script: 'reset-after-accept,ok', expected: { ...picture(2), charged: 2 } },
  { script: 'flaky-download', only: 'links', expected: picture(1) },
  { script: 'expired-url,ok', only: 'links', expected: { ...picture(2), charged: 2 } },
  {
    ...{ script: 'hang-after-accept', timeoutMs: 4_000 },
    expected: { ...refused(504, 'timeout', 'timeout'), charged: 1 },
  },
];

const CANCELED = ['slow:30', 'cold:30'] as const;
const TOLD = 'poll-500:4';

/** One gateway and its sandbox for all of them: every scenario, then what only jobs can do. */
export function proveMatrix(subjects: readonly Subject[], scenarios: readonly Scenario[]): void {
  const scripts = [...scenarios.map(({ script }) => script), ...CANCELED, TOLD];
  let gateway: RunningGateway;
  before(async () => {
    gateway = await startGateway({ yaml: playedYaml(subjects, scripts) });
  });
  after(() => gateway?.close());

  suite('every scenario', { concurrency: AT_ONCE }, () => {
    for (const [index, scenario] of scenarios.entries()) {
      for (const subject of subjects.filter((one) => suits(one, scenario))) {
        const { script, n = 1 } = scenario;
        test(`${subject.name}, ${script}, n=${n}`, () => proveScenario(gateway, subject, scenario, index));
      }
    }
    for (const subject of subjects.filter(({ jobs }) => jobs === true)) {
      for (const [place, script] of CANCELED.entries()) {
        const words = subject.cancel?.[script === 'slow:30' ? 'running' : 'waiting'] ?? UNCANCELED;
        test(`${subject.name}, ${script}, canceled: ${words.join(', ')}`, () =>
          proveCancel(gateway, subject, scenarios.length + place, words));
      }
    }
    for (const subject of subjects) {
      const { webhookMs } = subject;
      if (webhookMs === undefined) continue;
      test(`${subject.name}: its webhook brings the picture within ${webhookMs} ms`, () =>
        proveWebhook(gateway, subject, scenarios.length + CANCELED.length, webhookMs));
    }
  });
}

function suits({ most, jobs, links }: Subject, { only }: Scenario): boolean {
  const applies = { several: most > 1, single: most === 1, jobs: jobs === true, links: links === true };
  return only === undefined || applies[only];
}

/** Nobody can be asked to give it up: it may be finished, and billed. */
const UNCANCELED: CancelWords = ['unconfirmed', 'ambiguous'];

async function proveScenario(gateway: RunningGateway, subject: Subject, scenario: Scenario, index: number) {
  const { script, n = 1, timeoutMs, takesMs = 0 } = scenario;
  const several: Partial<Expected> = n > subject.most ? { requests: n } : {};
  const expected = { ...scenario.expected, ...several, ...subject.differs?.[script] };
  const prompt = promptOf(subject, index);
  const startedAt = performance.now();
  const { status, headers, body, text } = await call(`${gateway.url}/v1/images/generations`, {
    body: { model: `${entryOf(subject, index)}/${subject.model}`, prompt, n },
    ...(timeoutMs !== undefined && { headers: { 'x-onetake-timeout-ms': String(timeoutMs) } }),
  });
  const { kind, certainty, billed } = body.onetake ?? {};
  const { requests, charged } = await countOfPrompt(gateway, subject, prompt);
  assert.deepEqual(
    { status, code: body.error?.code, kind, certainty, requests, charged },
    {
      ...{ status: expected.status, code: expected.code, kind: expected.kind, certainty: expected.certainty },
      ...{ requests: expected.requests, charged: expected.charged },
    },
    text,
  );
  assert.ok(performance.now() - startedAt >= takesMs);
  if (status === 200) {
    const { missing = 0 } = expected;
    assert.deepEqual([body.data?.length, body.onetake?.missing?.length ?? 0], [n - missing, missing], text);
    assert.equal(headers['x-onetake-attempts'], String(requests));
    assert.ok(Number(headers['x-onetake-paid-attempts']) >= (subject.free ? 0 : 1));
    return;
  }
  assert.equal(billed, expected.billed);
  const generation = await call(`${gateway.url}/v1/generations/${body.onetake?.generation}`);
  // Where a clock ran out, the run goes on without its caller and has no failure yet.
  const failure = generation.body.failure as { readonly stage?: string } | undefined;
  assert.equal(failure?.stage, expected.stage);
}

/** No other request of this gateway has it, so the bill's lines are found by it. */
function promptOf({ name }: Subject, index: number): string {
  return `a red fox at ${name}, scene ${index}.`;
}

async function countOfPrompt({ sandboxUrl }: RunningGateway, { bill }: Subject, prompt: string): Promise<Count> {
  const { entries } = await readLedger(sandboxUrl);
  const own = entries.filter((entry) => entry.prompt?.includes(prompt));
  for (const { model } of own) assert.equal(model, bill);
  const requests = own.filter(({ played }) => !played.startsWith('canceled')).length;
  return { requests, charged: own.reduce((sum, { charged }) => sum + charged, 0) };
}

const LOOK_MS = 300;

async function proveCancel(gateway: RunningGateway, subject: Subject, index: number, words: CancelWords) {
  const prompt = promptOf(subject, index);
  const { id } = await submitTask(gateway.url, {
    ...{ model: `${entryOf(subject, index)}/${subject.model}`, prompt, size: undefined },
  });
  await until('the provider has it', async () => (await countOfPrompt(gateway, subject, prompt)).requests === 1);
  await until('its job is known here', async () => {
    const { body } = await call(`${gateway.url}/v1/generations/${id}`);
    return (body.timeline as readonly { readonly type: string }[]).some(({ type }) => type === 'handle-received');
  });
  await pause(LOOK_MS);
  const canceled = await call(`${gateway.url}/v1/tasks/${id}`, { method: 'DELETE' });
  assert.deepEqual([canceled.status, canceled.body.status], [200, 'canceled'], canceled.text);
  const { body } = await call(`${gateway.url}/v1/generations/${id}`);
  const { cancel, certainty } = body.failure as { readonly cancel?: string; readonly certainty: string };
  assert.deepEqual([cancel, certainty], words);
  assert.equal(body.billed, certainty === 'rejected' ? 'no' : 'maybe');
  const { requests, charged } = await countOfPrompt(gateway, subject, prompt);
  assert.equal(requests, 1);
  // Whoever says that it bills nothing bills nothing.
  if (certainty === 'rejected' && subject.free !== true) assert.equal(charged, 0);
}

async function proveWebhook(gateway: RunningGateway, subject: Subject, index: number, withinMs: number) {
  const startedAt = performance.now();
  const model = `${entryOf(subject, index)}/${subject.model}`;
  const { id } = await submitTask(gateway.url, { model, prompt: promptOf(subject, index), size: undefined });
  assert.equal((await finishedTask(gateway.url, id)).status, 'completed');
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < withinMs, `${tookMs} ms`);
}
