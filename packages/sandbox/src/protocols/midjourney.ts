import { randomInt } from 'node:crypto';
import { type Answer, jsonAnswer, RefusedError } from '../wire/answer.ts';
import { readInteger, readLink, readList, readText, sidesOf } from './fields.ts';
import { cancelJob, type JobOrder, type JobView, jobOf, openJobsOf, startJob } from './jobs.ts';
import { headerKey } from './keys.ts';
import { referenceOf } from './orders.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal } from './protocol.ts';

const LINK_LIFE_MS = 24 * 60 * 60_000;
const MODEL = 'imagine';
const SEED = /\s--seed\s+(\d{1,10})/u;
const ACTIONS = ['UPSCALE', 'VARIATION', 'REROLL'];

/**
 * midjourney-proxy's API, with the cancellation of its fork: HTTP 200 with a code inside, an id of digits, progress as
 * a text, an empty 200 for a job that nobody knows, and one picture where Midjourney makes a grid.
 */
export const midjourney: Protocol = {
  name: 'midjourney',
  basePath: '/mj',
  routes: [
    { method: 'POST', path: '/mj/submit/imagine', bills: true, handle: imagine },
    { method: 'POST', path: '/mj/submit/change', bills: true, handle: change },
    { method: 'GET', path: '/mj/task/:id/fetch', handle: look },
    { method: 'POST', path: '/mj/task/:id/cancel', handle: cancel },
    { method: 'GET', path: '/mj/task/queue', handle: queue },
    { method: 'POST', path: '/mj/task/list-by-condition', handle: list },
  ],
  key: headerKey('mj-api-secret'),
  refuse,
  links: { lifeMs: LINK_LIFE_MS, expiredStatus: 404 },
  jobs: {
    newId: () => `${Date.now()}${String(randomInt(1000)).padStart(3, '0')}`,
    unbilled: ['moderated'],
    letter: async (job) => ({ body: JSON.stringify(await jobFields(job)) }),
  },
};

async function imagine(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  call.bill.model = MODEL;
  const { values } = call.body;
  const prompt = readText(values, 'prompt')?.trim() ?? '';
  if (prompt === '') throw wrong('prompt不能为空');
  const references: Buffer[] = [];
  for (const image of readList(values, 'base64Array')) {
    if (typeof image !== 'string' || !image.startsWith('data:image/')) throw wrong('base64格式错误');
    references.push(await referenceOf(image, 'base64Array'));
  }
  const [, ratio] = /\s--(?:ar|aspect)\s+(\S+)/u.exec(prompt) ?? [];
  const [, seed] = SEED.exec(prompt) ?? [];
  const order = {
    ...{ model: MODEL, prompt, references, ...sidesOf(ratio ?? '1:1') },
    ...(seed !== undefined && { seed: Math.min(Number(seed), 0xffff_ffff) }),
  };
  return submit(call, order, 'IMAGINE');
}

function change(call: ProtocolCall): Promise<ProtocolAnswer | undefined> {
  call.bill.model = MODEL;
  const { values } = call.body;
  const id = readText(values, 'taskId') ?? '';
  if (id === '') throw wrong('taskId不能为空');
  const action = readText(values, 'action') ?? '';
  if (!ACTIONS.includes(action)) throw wrong('action参数错误');
  if (action !== 'REROLL') readInteger({ index: 0, ...values }, 'index', 1, 4);
  const target = jobOf(call, id);
  if (!target) throw new RefusedError({ status: 404, message: '关联任务不存在或已失效' });
  if (target.status !== 'succeeded') throw wrong('关联任务状态错误');
  if (target.data.action === 'UPSCALE') throw wrong('关联任务不允许执行变化');
  const { width, height } = target.call;
  return submit(call, { model: MODEL, prompt: promptOf(target), width, height }, action);
}

function wrong(message: string): RefusedError {
  return new RefusedError({ status: 400, reason: 'invalid', message });
}

function submit(call: ProtocolCall, order: JobOrder, action: string): Promise<ProtocolAnswer | undefined> {
  const { values } = call.body;
  const webhookUrl = readLink(values, 'notifyHook');
  const state = readText(values, 'state');
  const data = { action, prompt: order.prompt, ...(state !== undefined && { state }) };
  // A script goes on with the next picture of a prompt, whose seed is another.
  const prompt = order.prompt.replace(SEED, '');
  return startJob(call, { ...order, prompt, data, ...(webhookUrl !== undefined && { webhookUrl }) }, (job) => {
    const properties = { discordInstanceId: '1118138338562560102' };
    if (job.status !== 'queued') return told(1, '提交成功', job.id, properties);
    return told(22, '排队中，前面还有1个任务', job.id, { ...properties, numberOfQueues: 1 });
  });
}

function told(code: number, description: string, result: string | null, properties: object = {}): Answer {
  return jsonAnswer(200, { code, description, result, properties });
}

async function look(call: ProtocolCall): Promise<Answer> {
  const job = jobOf(call, call.params.id ?? '');
  return job ? jsonAnswer(200, await jobFields(job)) : NOTHING;
}

/** What a method that returns null answers there. */
const NOTHING: Answer = { status: 200, headers: { 'content-length': '0' }, body: [] };

function cancel(call: ProtocolCall): Answer {
  cancelJob(call, call.params.id ?? '');
  return NOTHING;
}

async function queue(call: ProtocolCall): Promise<Answer> {
  const waiting = openJobsOf(call).filter(({ status }) => status === 'queued');
  return jsonAnswer(200, await Promise.all(waiting.map(jobFields)));
}

async function list(call: ProtocolCall): Promise<Answer> {
  const jobs = readList(call.body.values, 'ids').flatMap((id) => jobOf(call, String(id)) ?? []);
  return jsonAnswer(200, await Promise.all(jobs.map(jobFields)));
}

const STATUSES: Readonly<Record<JobView['status'], string>> = {
  queued: 'NOT_START',
  cold_start: 'SUBMITTED',
  running: 'IN_PROGRESS',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
  moderated: 'FAILURE',
  canceled: 'FAILURE',
};

/** With the parameters that it was sent with. */
function promptOf({ data, call }: JobView): string {
  return typeof data.prompt === 'string' ? data.prompt : call.prompt;
}

async function jobFields(job: JobView): Promise<object> {
  const status = STATUSES[job.status];
  const [picture] = (await job.pictures()) ?? [];
  return {
    ...{ id: job.id, action: job.data.action, status, prompt: promptOf(job), promptEn: promptOf(job) },
    ...{ description: `/imagine ${promptOf(job)}`, state: job.data.state ?? null, submitTime: job.createdAt },
    ...{ startTime: job.createdAt, finishTime: job.ended ? job.endsAt : null },
    imageUrl: picture ? await picture.link() : null,
    progress: status === 'FAILURE' ? '' : `${Math.floor(job.progress)}%`,
    failReason: reasonOf(job),
    properties: { finalPrompt: promptOf(job) },
  };
}

function reasonOf({ status, stage }: JobView): string | null {
  if (status === 'failed') return '[Internal Server Error] null';
  if (status === 'canceled') return '取消任务';
  if (status !== 'moderated') return null;
  if (stage === 'output') return '[Request cancelled due to output filters] The image was not delivered.';
  return '[Banned prompt detected] The word may be in violation of the community guidelines.';
}

function refuse({ reason, status, message }: ProtocolRefusal, { request }: ProtocolCall): Answer {
  switch (reason) {
    case 'key':
      return { status: 401, headers: { 'content-length': '0' }, body: [] };
    case 'permission':
      return {
        status: 403,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: [Buffer.from('账号不可用')],
      };
    // A reseller's till; the proxy itself has none.
    case 'billing':
    case 'quota':
      return jsonAnswer(400, { description: 'quota_not_enough ', type: 'upstream_error', code: 4 });
    case 'rate':
    case 'concurrency':
      return told(23, '队列已满，请稍后尝试', null);
    case 'policy':
    case 'policy-output':
      return told(24, '可能包含敏感词', null, { promptEn: 'a banned word', bannedWord: 'banned' });
    case 'overloaded':
      return told(3, '无可用的账号实例', null);
    case 'invalid':
      return told(4, message, null);
    case 'not-found':
    case 'retired':
      return told(3, message, null);
    default: {
      if (status < 300) return told(9, '提交失败，系统异常', null);
      const path = request.url ?? '';
      return jsonAnswer(status, { timestamp: new Date().toISOString(), status, error: 'Internal Server Error', path });
    }
  }
}
