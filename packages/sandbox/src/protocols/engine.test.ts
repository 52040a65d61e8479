import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LimitRule } from '../limit.ts';
import { imitationFor } from '../testing/imitation.ts';
import { at, type Imitated, type sandboxFor, imitate as send, textAt } from '../testing/sandbox.ts';
import { jsonAnswer, RefusedError } from '../wire/answer.ts';
import { needText, readInteger } from './fields.ts';
import { cancelJob, type JobView, jobOf, openJobsOf, settledJob, startJob } from './jobs.ts';
import { headerKey } from './keys.ts';
import { paint } from './paint.ts';
import type { JobRules, Protocol, ProtocolCall } from './protocol.ts';

/** A protocol whose answers say what the engine told it. */
function protocolOf(jobs: JobRules = {}): Protocol {
  return {
    name: 'plain',
    key: headerKey('x-key'),
    routes: [
      { method: 'POST', path: '/draw/:owner/:model*', bills: true, handle: draw },
      { method: 'POST', path: '/jobs/:model:start', bills: true, handle: start },
      { method: 'GET', path: '/jobs/:id', handle: look },
      { method: 'GET', path: '/jobs', open: true, handle: (call) => jsonAnswer(200, openJobsOf(call).map(told)) },
      { method: 'DELETE', path: '/jobs/:id', handle: (call) => seen(cancelJob(call, call.params.id ?? '')) },
      {
        method: 'GET',
        path: '/settled/:id',
        handle: async (call) => seen(await settledJob(call, call.params.id ?? '', 5000)),
      },
    ],
    refuse: ({ reason, status, waitMs }) => jsonAnswer(status, { reason, waitMs }),
    headers: () => ({ 'x-plain': 'yes' }),
    links: { lifeMs: 1000 },
    jobs,
  };
}

function orderOf({ body, params }: ProtocolCall, model: string) {
  const n = readInteger(body.values, 'n', 1, 10) ?? 1;
  return {
    model: [params.owner, model].filter(Boolean).join('/'),
    prompt: needText(body.values, 'prompt'),
    n,
    ...SMALL,
  };
}

const SMALL = { width: 32, height: 32, seed: 7 };

function draw(call: ProtocolCall) {
  return paint(call, orderOf(call, call.params.model ?? ''), ({ pictures, listAbsent, flagged }) =>
    jsonAnswer(200, { seeds: pictures.map(({ seed }) => seed), listAbsent, flagged, base: call.base }),
  );
}

function start(call: ProtocolCall) {
  return startJob(call, { ...orderOf(call, call.params.model ?? ''), data: { note: 'kept' } }, (job) => seen(job));
}

function look(call: ProtocolCall) {
  return seen(jobOf(call, call.params.id ?? ''));
}

function told({ id, status, data, model, stage, error, charged }: JobView): object {
  return { id, status, data, model, stage, charged, code: error?.code };
}

async function seen(job: JobView | undefined) {
  if (!job) throw new RefusedError({ status: 404, message: 'no job' });
  return jsonAnswer(200, { ...told(job), links: await linksOf(job) });
}

async function linksOf(job: JobView): Promise<readonly string[] | undefined> {
  const pictures = await job.pictures();
  return pictures && Promise.all(pictures.map((picture) => picture.link()));
}

async function rigFor(t: TestContext, jobs: JobRules = {}, limit: LimitRule = {}) {
  const { url, ledger } = await imitationFor(t, protocolOf(jobs), limit);
  const sandbox = { url } as Awaited<ReturnType<typeof sandboxFor>>;
  const ask = (path: string, body?: object, init: RequestInit = {}): Promise<Imitated> => {
    const { body: _body, ...rest } = init;
    return send(sandbox, path, { ...rest, ...(body && { body }), headers: { 'x-key': 'key', ...init.headers } });
  };
  const play = (script: string, fields: object = {}) =>
    ask(`/fault/${script}/plain/draw/o/m`, { prompt: 'p', ...fields });
  const begin = (script: string) => ask(`/fault/${script}/plain/jobs/m:start`, { prompt: 'p' });
  return { ask, play, begin, url, ledger };
}

test('names in paths, the base with its script, and the headers of the protocol reach where they belong', async (t) => {
  const { ask, url, ledger } = await rigFor(t);
  const { status, body, headers } = await ask('/fault/slow:0,ok/plain/draw/o%20x/a/b', { prompt: 'p', n: 2 });
  assert.deepEqual([status, at(body, 'seeds'), headers.get('x-plain')], [200, [7, 8], 'yes']);
  assert.equal(at(body, 'base'), `${url}/fault/slow:0,ok/plain`);
  assert.deepEqual(Object.keys(ledger.bill().models), ['plain/o x/a/b']);
});

test('what the faults of an answer do is what the protocol is told', async (t) => {
  const { play, ledger } = await rigFor(t);
  const seeds = async (script: string) => at((await play(script, { n: 3 })).body, 'seeds');
  assert.deepEqual([await seeds('partial'), await seeds('empty'), await seeds('ok')], [[7, 8], [], [7, 8, 9]]);
  assert.equal(at((await play('no-data')).body, 'listAbsent'), true);
  assert.equal(at((await play('nsfw-flag')).body, 'flagged'), true);
  assert.equal((await play('html')).status, 200);
  assert.equal((await play('truncated-json')).body, undefined);
  await assert.rejects(play('reset-after-accept'));
  await assert.rejects(play('reset-mid-body'));
  assert.equal(ledger.bill().total.charged, 2 + 3 + 3 + 6);
});

test('what refuses goes through the protocol with its reason and its wait; a limit too, uncharged', async (t) => {
  const { play, ask, ledger } = await rigFor(t, {}, { requests: { count: 8, windowMs: 60_000 } });
  const reasons: unknown[] = [];
  for (const script of ['429:2', 'quota', 'policy', 'moderated-output', '403', '500-billed']) {
    reasons.push(at((await play(script)).body, 'reason'));
  }
  assert.deepEqual(reasons, ['rate', 'quota', 'policy', 'policy-output', 'permission', 'server']);
  assert.equal(at((await play('429:2,ok')).body, 'waitMs'), 2000);
  assert.equal((await play('429:2,ok')).status, 200);
  const limited = await play('ok');
  assert.deepEqual([limited.status, at(limited.body, 'reason')], [429, 'rate']);
  const { body } = await ask('/plain/draw/o/m', { prompt: 'p' }, { headers: { 'x-key': '' } });
  assert.equal(at(body, 'reason'), 'key');
  assert.deepEqual(
    ledger
      .details()
      .slice(-2)
      .map(({ played, charged }) => [played, charged]),
    [
      ['refused: rate_limit_exceeded', 0],
      ['refused: key', 0],
    ],
  );
});

test('a job keeps what its protocol keeps with it, and its links expire from its end on', async (t) => {
  const { begin, ask } = await rigFor(t);
  const { body } = await begin('slow:0.1');
  assert.deepEqual([at(body, 'status'), at(body, 'data'), at(body, 'model')], ['running', { note: 'kept' }, 'm']);
  assert.deepEqual(
    at((await ask('/plain/jobs', undefined, { headers: { 'x-key': '' } })).body, '0.id'),
    at(body, 'id'),
  );
  const done = (await ask(`/plain/settled/${textAt(body, 'id')}`)).body;
  assert.equal(at(done, 'status'), 'succeeded');
  const [link = ''] = at(done, 'links') as string[];
  const again = at((await ask(`/plain/jobs/${textAt(body, 'id')}`)).body, 'links.0');
  assert.equal(again, link);
  assert.deepEqual((await ask('/plain/jobs')).body, []);
});

test('rules say which ends are charged and what a cancellation takes back', async (t) => {
  const charged = async (jobs: JobRules, script: string, cancels: boolean) => {
    const { begin, ask, ledger } = await rigFor(t, jobs);
    const { body } = await begin(script);
    const path = cancels ? `/plain/jobs/${textAt(body, 'id')}` : `/plain/settled/${textAt(body, 'id')}`;
    const end = await ask(path, undefined, { method: cancels ? 'DELETE' : 'GET' });
    return [at(end.body, 'status'), at(end.body, 'stage'), ledger.bill().total.charged];
  };
  assert.deepEqual(await charged({}, 'failed', false), ['failed', undefined, 1]);
  assert.deepEqual(await charged({ unbilled: ['failed'] }, 'failed', false), ['failed', undefined, 0]);
  assert.deepEqual(await charged({}, 'policy-output', false), ['moderated', 'output', 1]);
  assert.deepEqual(await charged({ unbilled: ['moderated-output'] }, 'policy-output', false), [
    'moderated',
    'output',
    0,
  ]);
  assert.deepEqual(await charged({ aliases: { policy: 'moderated' } }, 'policy', false), ['moderated', 'input', 0]);
  assert.deepEqual(await charged({}, 'queued:9', true), ['canceled', undefined, 0]);
  assert.deepEqual(await charged({}, 'slow:9', true), ['canceled', undefined, 1]);
  assert.deepEqual(await charged({ cancelBills: 'never' }, 'slow:9', true), ['canceled', undefined, 0]);
  assert.deepEqual(await charged({ cancelBills: 'always' }, 'queued:9', true), ['canceled', undefined, 1]);
});

test('a job is in the concurrency until it ends or is canceled', async (t) => {
  const { begin, ask } = await rigFor(t, {}, { concurrency: 1 });
  const { body } = await begin('stuck');
  const second = await begin('ok');
  assert.deepEqual([second.status, at(second.body, 'reason')], [429, 'concurrency']);
  await ask(`/plain/jobs/${textAt(body, 'id')}`, undefined, { method: 'DELETE' });
  assert.equal((await begin('ok')).status, 200);
});
