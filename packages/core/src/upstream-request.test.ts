import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from './environment.ts';
import type { Event } from './journal.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import { comfyuiProvider } from './providers/comfyui.ts';
import { readWorkflow } from './providers/comfyui-workflow.ts';
import { PROVIDERS } from './providers/index.ts';
import { openai } from './providers/openai.ts';
import type { Provider } from './providers/provider.ts';
import type { ImageRequest } from './request.ts';
import {
  SAMPLE_ASSET,
  SAMPLE_DOUBTED,
  sampleEvents,
  samplePlan,
  sampleRequest,
  sampleTarget,
} from './testing/samples.ts';
import { upstreamRequest } from './upstream-request.ts';

const SECRET = 'sk-the-secret-itself';
const ENDED: Event = { type: 'attempt-ended', at: 1, attempt: 1, outcome: { ok: true, images: [] } };

function connectionTo(provider: Provider, secret = SECRET): Connection {
  return { id: 'a', provider, baseUrl: 'http://host:1/base', secret };
}

function planOf(request: ImageRequest, changes: Partial<PlannedTarget> = {}): Plan {
  return { ...samplePlan(), request, targets: [sampleTarget('a', changes)] };
}

function askedOf(connection: Connection | undefined, plan: Plan, events: readonly Event[], attempt = 1) {
  return upstreamRequest({ runId: 'gen_1.0', plan, events, attempt, connection: () => connection });
}

const STARTED: Event = { type: 'attempt-started', at: 0, attempt: 1, target: 'a/model' };

test('of every provider the place of the key is known, and the key is nowhere', () => {
  for (const provider of PROVIDERS.filter(({ image }) => image !== undefined)) {
    const secrets = provider.id === 'automatic1111' ? [SECRET, 'user:pass-word'] : [SECRET];
    for (const secret of secrets) {
      const built = askedOf(connectionTo(provider, secret), planOf(sampleRequest()), [STARTED, ENDED]);
      assert.ok(built.ok, `${provider.id}: ${JSON.stringify(built)}`);
      const { request, key } = built;
      const authorized = provider.authorize(request, { id: 'a', secret });
      const end = key?.form === 'base64' ? Buffer.from(secret).toString('base64') : secret;
      const shown = key ? { ...request.headers, [key.header]: `${key.prefix}${end}` } : request.headers;
      assert.deepEqual(shown, authorized.headers, provider.id);
      assert.ok(!JSON.stringify(request).includes(secret), provider.id);
    }
  }
});

test('an attempt is told with the seed that it had, not with that of a later one', () => {
  const events = sampleEvents(['a', SAMPLE_DOUBTED], ['a', SAMPLE_DOUBTED]);
  const plan = planOf(sampleRequest({ seed: 5 }), { maxSeed: 1_000_000 });
  const seeds = [1, 2].map((attempt) => {
    const built = askedOf(connectionTo(PROVIDERS.find(({ id }) => id === 'bfl') ?? openai), plan, events, attempt);
    return built.ok && built.request.body?.kind === 'json' ? built.request.body.value : undefined;
  });
  assert.deepEqual(
    seeds.map((value) => (value as { seed?: number }).seed),
    [5, 5 + 997],
  );
});

test('the mask is the one that the attempt was sent; without one nothing was', () => {
  const request = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET], mask: SAMPLE_ASSET });
  const plan = planOf(request, { maskPolarity: 'white' });
  const white = { ...SAMPLE_ASSET, hash: 'b'.repeat(64) };
  const converted: Event = { type: 'mask-converted', at: 0, attempt: 1, mark: 'white', asset: white };
  const built = askedOf(connectionTo(openai), plan, [STARTED, converted, ENDED]);
  assert.ok(built.ok && JSON.stringify(built.request.body).includes(white.hash));
  const without = askedOf(connectionTo(openai), plan, [STARTED, ENDED]);
  assert.ok(!without.ok && /mask/.test(without.reason));
});

test('what cannot be told is said: no such attempt, no such provider any more, a workflow that lacks a picture', () => {
  const reason = (...asked: Parameters<typeof askedOf>) => {
    const built = askedOf(...asked);
    return built.ok ? 'it is told' : built.reason;
  };
  const plan = planOf(sampleRequest());
  assert.match(reason(connectionTo(openai), plan, [STARTED, ENDED], 2), /no attempt 2/);
  assert.match(reason(undefined, plan, [STARTED, ENDED]), /no a any more/);
  const hosts = { ...connectionTo(openai), hosts: { 'a:left:80': 'http://left' } };
  const elsewhere: Event = { type: 'attempt-started', at: 0, attempt: 1, target: 'a/model', credential: 'a:gone:80' };
  assert.match(reason(hosts, plan, [elsewhere, ENDED]), /a:gone:80/);
});

test('of a submit in steps the paid request is told, exactly where names are known beforehand', () => {
  const read = readWorkflow({ '1': { class_type: 'Any', inputs: { a: '{{prompt}}', b: '{{image_1}}' } } });
  assert.ok('workflow' in read, JSON.stringify(read));
  const provider = comfyuiProvider({ workflows: { model: read.workflow } });
  const plan = planOf(sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET], seed: 3 }));
  const built = askedOf(connectionTo(provider, ''), plan, [STARTED, ENDED]);
  assert.ok(built.ok, JSON.stringify(built));
  assert.deepEqual([built.request.url, built.standIns, built.key], ['http://host:1/base/prompt', [], undefined]);
  const context = { runId: 'gen_1.0', attempt: 1, model: 'model', baseUrl: 'http://host:1/base' };
  const wanted = { ...plan.request };
  const submit = provider.image?.submit;
  const uploaded = { name: `${SAMPLE_ASSET.hash}.png`, subfolder: 'onetake' };
  const answer = { status: 200, headers: {}, body: uploaded, text: '' };
  const next = submit?.parse(answer, wanted, context);
  assert.ok(next?.kind === 'next');
  assert.deepEqual(built.request, next.request);
  const evolink = PROVIDERS.find(({ id }) => id === 'evolink') ?? openai;
  const stood = askedOf(connectionTo(evolink), plan, [STARTED, ENDED]);
  assert.ok(stood.ok);
  assert.deepEqual(stood.standIns, ['LINK-TO-UPLOAD-1']);
  assert.ok(JSON.stringify(stood.request.body).includes('LINK-TO-UPLOAD-1'));
});
