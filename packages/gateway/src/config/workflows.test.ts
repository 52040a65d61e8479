import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { comfyuiProvider } from '@onetake/core';
import type { Report } from './report.ts';
import { readWorkflows } from './workflows.ts';

const GRAPH = { '1': { class_type: 'CLIPTextEncode', inputs: { text: '{{prompt}}', steps: '{{steps|20}}' } } };

function directory(t: TestContext, files: Record<string, string>): string {
  const cwd = mkdtempSync(join(tmpdir(), 'workflows-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return cwd;
}

test('a workflow of the owner’s becomes a model under its name, beside the built-in one', (t) => {
  const report: Report = { faults: [], notices: [] };
  const cwd = directory(t, { 'flux.json': JSON.stringify(GRAPH) });
  const settings = readWorkflows('comfyui', 'comfyui', { workflows: { flux: 'flux.json' } }, cwd, report);
  assert.deepEqual(report.faults, []);
  assert.deepEqual(
    comfyuiProvider(settings ?? {}).models.map(({ id }) => id),
    ['local', 'flux'],
  );
});

test('without either nothing is read', (t) => {
  const report: Report = { faults: [], notices: [] };
  assert.equal(readWorkflows('comfyui', 'comfyui', {}, directory(t, {}), report), undefined);
  assert.deepEqual(readWorkflows('gpu', 'comfyui', { checkpoint: 'a.ckpt' }, '.', report), {
    ...{ workflows: {}, checkpoint: 'a.ckpt' },
  });
});

test('every fault names the setting, the file, and what is wanted', (t) => {
  const report: Report = { faults: [], notices: [] };
  const cwd = directory(t, {
    'torn.json': '{',
    'editor.json': '{"nodes": [], "links": []}',
    'typo.json': JSON.stringify({ '1': { class_type: 'A', inputs: { text: '{{prompt}}', seed: '{{sed}}' } } }),
    'mute.json': JSON.stringify({ '1': { class_type: 'A', inputs: {} } }),
  });
  const workflows = Object.fromEntries(
    ['gone', 'torn', 'editor', 'typo', 'mute'].map((name) => [name, `${name}.json`]),
  );
  readWorkflows('comfyui', 'comfyui', { workflows }, cwd, report);
  const where = 'providers.comfyui.workflows';
  assert.deepEqual(
    report.faults.map((fault) => fault.replaceAll(cwd, '.')),
    [
      `${where}.gone: expected a readable JSON file, got ENOENT for ./gone.json`,
      `${where}.torn: expected a readable JSON file, got something that is not JSON for ./torn.json`,
      `${where}.editor: expected a workflow in API format (in ComfyUI: Workflow, Export (API)), got the editor's own format in ./editor.json`,
      `${where}.typo: expected placeholders named prompt, negative_prompt, seed, width, height, batch_size, checkpoint, image_1 to image_16, mask, or one with a default such as {{steps|20}}, got {{sed}} in ./typo.json`,
      `${where}.mute: expected a workflow with {{prompt}} where the prompt belongs, got none in ./mute.json`,
    ],
  );
});

test('another protocol has no workflows', () => {
  const report: Report = { faults: [], notices: [] };
  readWorkflows('bfl', 'bfl', { workflows: { a: 'a.json' } }, '.', report);
  assert.match(report.faults.join(), /^providers\.bfl\.workflows: expected kind: comfyui beside it, got bfl/);
});
