import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../json.ts';
import { filledWorkflow, readWorkflow, type Workflow } from './comfyui-workflow.ts';

function graph(inputs: JsonObject): JsonObject {
  return { '1': { class_type: 'Anything', inputs } };
}

function workflow(inputs: JsonObject): Workflow {
  const read = readWorkflow(graph(inputs));
  assert.ok('workflow' in read, JSON.stringify(read));
  return read.workflow;
}

function filled(inputs: JsonObject, values: Record<string, JsonValue>): JsonValue | undefined {
  const node = filledWorkflow(workflow({ text: '{{prompt}}', ...inputs }), values)['1'];
  return (node as { inputs: JsonObject }).inputs.it;
}

test('a placeholder alone becomes the value, inside a text it becomes text', () => {
  assert.equal(filled({ it: '{{seed}}' }, { seed: 7 }), 7);
  assert.equal(filled({ it: 'seed {{ seed }}, {{prompt}}' }, { seed: 7, prompt: 'x' }), 'seed 7, x');
  assert.deepEqual(filled({ it: ['4', '{{seed}}'] }, { seed: 7 }), ['4', 7]);
});

test('without a value its default stands, of the kind it is written in', () => {
  assert.equal(filled({ it: '{{width|768}}' }, {}), 768);
  assert.equal(filled({ it: '{{width}}' }, {}), 1024);
  assert.equal(filled({ it: '{{tiled|true}}' }, {}), true);
  assert.equal(filled({ it: '{{sampler|euler}}' }, {}), 'euler');
  assert.equal(filled({ it: '{{negative_prompt}}' }, {}), '');
});

test('what a value holds is not looked at again', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom('{{seed}}', '$&', '{{width|1}}')), (prompt) => {
      assert.equal(filled({ it: '{{prompt}}' }, { prompt, seed: 7 }), prompt);
      assert.equal(filled({ it: 'a {{prompt}} b' }, { prompt, seed: 7 }), `a ${prompt} b`);
    }),
  );
});

test('names that every object has are no values', () => {
  assert.equal(filled({ it: '{{constructor|none}}' }, {}), 'none');
});

const WRONG: readonly (readonly [what: string, file: unknown, expected: RegExp])[] = [
  ['a list', [], /API format/],
  ['no node', {}, /map of nodes/],
  ['the format of the editor', { nodes: [], links: [] }, /Export \(API\)/],
  ['a node without a class', { '1': { inputs: {} } }, /map of nodes/],
  ['no prompt', graph({ seed: '{{seed}}' }), /\{\{prompt\}\}/],
  ['a misspelled placeholder', graph({ text: '{{prompt}}', it: '{{promt}}' }), /or one with a default/],
  ['a placeholder with spaces', graph({ text: '{{prompt}}', it: '{{my name|1}}' }), /placeholders named/],
  ['a picture too many', graph({ text: '{{prompt}}', it: '{{image_17}}' }), /image_16/],
  ['a graph without a bottom', graph(nested(40)), /levels deep/],
];

function nested(depth: number): JsonObject {
  return depth === 0 ? { text: '{{prompt}}' } : { deeper: nested(depth - 1) };
}

for (const [what, file, expected] of WRONG) {
  test(`a file is refused for ${what}, in words that say what is wanted`, () => {
    const read = readWorkflow(file);
    assert.ok('expected' in read);
    assert.match(read.expected, expected);
  });
}

test('any JSON is read without throwing', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => void readWorkflow(value)));
  fc.assert(fc.property(fc.string(), (text) => void readWorkflow(graph({ text: '{{prompt}}', it: text }))));
});
