import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { catalogueOf } from '../catalogue.ts';
import { checkModelsAsked } from '../chat/models-asked.ts';
import { ConfigError, loadConfig } from '../config.ts';

const PROVIDERS = 'providers: {openai: {key_env: A}, words: {kind: openai-compatible, base_url: "http://127.0.0.1:9"}}';

function load(t: TestContext, yaml: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'config-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, 'onetake.yaml'), `${PROVIDERS}\n${yaml}`);
  return loadConfig({ env: { A: 'sk-verysecret' }, cwd });
}

function faultsOf(check: () => unknown): readonly string[] {
  try {
    check();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults;
  }
  return [];
}

test('the models to ask, and how long', (t) => {
  const { chat } = load(
    t,
    'chat: {rewrite_model: words/small, judge_model: openai/gpt-5.6-luna, judge_timeout_ms: 5000}',
  );
  assert.deepEqual(chat, {
    ...{ rewriteModel: 'words/small', rewriteTimeoutMs: 30_000 },
    ...{ judgeModel: 'openai/gpt-5.6-luna', judgeTimeoutMs: 5_000 },
  });
});

test('a ladder has the model to ask only where it rewrites', (t) => {
  const { routes } = load(
    t,
    `chat: {rewrite_model: words/small}
routes:
  milder: {targets: [openai/gpt-image-2], refusals: {ladder: [rewrite]}}
  same: {targets: [openai/gpt-image-2], refusals: {ladder: [same_again]}}`,
  );
  assert.equal(routes.milder?.policy?.refusals?.rewriter, 'words/small');
  assert.equal(routes.same?.policy?.refusals?.rewriter, undefined);
});

test('faults name the field, the value and the rule', (t) => {
  const faults = faultsOf(() => load(t, 'chat: {rewrite_model: 5, judge_timeout_ms: 1s, rewrite_modle: a}'));
  assert.deepEqual(faults, [
    'chat.rewrite_model: expected a model for chat, or a route of such, got 5',
    'chat.judge_timeout_ms: expected a whole number of milliseconds from 100 to 300000, got "1s"',
    'chat.rewrite_modle: expected one of rewrite_model, rewrite_timeout_ms, judge_model, judge_timeout_ms, got an unknown key; did you mean "rewrite_model"?',
  ]);
});

test('a name that nobody answers to, and a model that draws, are faults at the start', (t) => {
  const check = (section: string) => {
    const config = load(t, `chat: {${section}}\nroutes: {draw: [openai/gpt-image-2]}`);
    const sandbox = { url: 'http://x', refusePort: 1, resetPort: 2 };
    return faultsOf(() =>
      checkModelsAsked(
        config.chat,
        catalogueOf(config, () => sandbox),
      ),
    );
  };
  assert.deepEqual(check('rewrite_model: words/small, judge_model: openai/gpt-5.6-luna'), []);
  assert.deepEqual(check(''), []);
  const [draws, ...others] = check('rewrite_model: draw, judge_model: openai/gpt-image-2');
  assert.match(String(draws), /^chat\.rewrite_model: expected a model for chat, or a route of such, got "draw"; /);
  assert.match(String(others), /^chat\.judge_model: .* got "openai\/gpt-image-2"; .*makes pictures/);
});
