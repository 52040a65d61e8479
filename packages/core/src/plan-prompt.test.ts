import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from './client.ts';
import { OnetakeError } from './errors.ts';
import type { Io } from './io.ts';
import type { Catalogue } from './model-names.ts';
import { judgePrompt, judgeReferences } from './plan-prompt.ts';
import { starterRules } from './policy/prompt-rules-file.ts';
import { openai } from './providers/openai.ts';
import { planImage } from './route.ts';
import { SAMPLE_ASSET } from './testing/samples.ts';

const RULES = { rules: starterRules(), everywhere: false };
const REFUSED = 'a dismembered body';
const generate = (prompt: string) => ({ operation: 'generate', prompt }) as const;

test('rules hold where they are wanted, and by default where they hold everywhere', () => {
  const fails = (wanted: boolean | undefined, everywhere: boolean) =>
    'failure' in judgePrompt(generate(REFUSED), wanted, { ...RULES, everywhere });
  assert.deepEqual([fails(true, false), fails(undefined, true)], [true, true]);
  assert.deepEqual([fails(undefined, false), fails(false, true)], [false, false]);
  assert.deepEqual(judgePrompt(generate(REFUSED), undefined, undefined), { told: {} });
});

test('what goes on from a picture is not judged again', () => {
  for (const operation of ['variation', 'upscale'] as const)
    assert.deepEqual(judgePrompt({ operation, prompt: '' }, true, RULES), { told: {} });
});

test('a plan keeps the warnings and the milder words, and has neither where the rules do not hold', () => {
  const catalogue: Catalogue = {
    connections: [{ id: 'openai', provider: openai, baseUrl: 'http://127.0.0.1:9', secret: '' }],
    routes: {},
    defaultModel: 'openai/gpt-image-2',
    promptRules: RULES,
  };
  const request = { operation: 'generate', n: 1, prompt: 'a dangerous weapon beside the Nike logo' } as const;
  const plan = (promptRules: boolean) => {
    const planned = planImage(request, undefined, catalogue, { promptRules }, 0);
    assert.ok(planned.ok);
    return planned.plan;
  };
  assert.deepEqual(
    plan(true).warnings?.map(({ rule }) => rule),
    ['brand-logo'],
  );
  assert.equal(plan(true).rewrite?.prompt, 'a vintage wooden toy sword beside the Nike logo');
  assert.ok(!('warnings' in plan(false)) && !('rewrite' in plan(false)));
});

test('strict leaves the ladder what sends the request as it is', () => {
  const catalogue: Catalogue = {
    connections: [{ id: 'openai', provider: openai, baseUrl: 'http://127.0.0.1:9', secret: '' }],
    routes: {},
    defaultModel: 'openai/gpt-image-2',
  };
  const rungs = ['laxer_setting', 'same_again', 'rewrite', 'next_target'] as const;
  const planned = (strict: boolean) => {
    const settings = { strict, refusals: { rungs, maxRungs: 3, maxPaid: 2 } };
    const made = planImage({ operation: 'generate', n: 1, prompt: 'a fox' }, undefined, catalogue, settings, 0);
    assert.ok(made.ok);
    return made.plan;
  };
  assert.deepEqual(planned(false).policy.refusals?.rungs, rungs);
  assert.deepEqual(planned(true).policy.refusals?.rungs, ['same_again', 'next_target']);
  assert.deepEqual(planned(false).targets[0]?.laxer, { field: 'moderation', value: 'low' });
});

test('pictures that no provider takes are refused with an edit, by their bytes', () => {
  const edit = { operation: 'edit', prompt: 'a hat', n: 1 } as const;
  const masked = { ...edit, images: [SAMPLE_ASSET], mask: { ...SAMPLE_ASSET, alpha: true } };
  assert.equal(judgeReferences(masked), undefined);
  const large = judgeReferences({ ...edit, images: [{ ...SAMPLE_ASSET, bytes: 50_000_001 }] });
  assert.deepEqual([large?.kind, large?.param], ['too_large', 'image']);
  const moving = judgeReferences({ ...edit, images: [{ ...SAMPLE_ASSET, animated: true }] });
  assert.equal(moving?.kind, 'image_format');
  const other = judgeReferences({ ...masked, mask: { ...SAMPLE_ASSET, alpha: true, width: 2 } });
  assert.deepEqual([other?.code, other?.param], ['invalid_image_file', 'mask']);
  assert.equal(judgeReferences({ ...edit, operation: 'generate' }), undefined);
});

test('the library refuses before it sends, with what to write instead', async () => {
  const io: Io = {
    now: () => 0,
    timer: () => () => {},
    send: () => assert.fail('it was sent'),
  };
  const client = createClient({ providers: { openai: { apiKey: 'k' } }, promptRules: 'on', io });
  await assert.rejects(client.images.generate({ model: 'openai/gpt-image-2', prompt: REFUSED }), (error) => {
    assert.ok(error instanceof OnetakeError);
    assert.equal(error.code, 'content_policy_violation');
    assert.deepEqual(error.refusal?.categories, ['violence']);
    assert.match(error.refusal?.suggestions[0] ?? '', /^show the moment before or after/);
    return true;
  });
  await assert.rejects(client.images.generate({ model: 'openai/gpt-image-2', prompt: ' ' }), {
    code: 'invalid_prompt',
  });
});
