import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedError } from '../wire/answer.ts';
import { exampleOf, FAULTS, readScript } from './script.ts';

function played(model: string, fault?: string): string {
  return readScript(model, fault)
    .map((cue) => (cue.value === undefined ? cue.fault.name : `${cue.fault.name}:${cue.value}`))
    .join(',');
}

function refusal(model: string, fault?: string): string {
  try {
    readScript(model, fault);
  } catch (error) {
    assert.ok(error instanceof RefusedError);
    assert.deepEqual([error.refusal.status, error.refusal.code], [404, 'model_not_found']);
    return error.message;
  }
  return assert.fail(`${model} was accepted`);
}

test('every fault is read by its example, with and without the prefix', () => {
  for (const fault of FAULTS.values()) {
    const example = exampleOf(fault);
    assert.equal(played(example), example);
    assert.equal(played(`sandbox/${example}`), example);
  }
});

test('a plain model name behaves as ok', () => {
  for (const model of [
    'gpt-image-2',
    'dall-e-3',
    'flux',
    'llama:7b',
    'sandbox/gpt-image-2',
    'sandbox/test',
    'fal-ai/flux/dev',
  ])
    assert.equal(played(model), 'ok');
});

test('a script has one cue per entry, spaces and decimals allowed', () => {
  assert.equal(played('500, slow:0.25,ok'), '500,slow:0.25,ok');
  assert.equal(played('sandbox/429,sandbox/ok'), '429,ok');
});

test('the fault field wins over the model', () => {
  assert.equal(played('slow:4', 'ok'), 'ok');
  assert.equal(played('gpt-image-2', '503,ok'), '503,ok');
});

test('what looks like a fault and is none is refused with near matches', () => {
  assert.match(refusal('500,okk'), /'okk' does not exist\. Did you mean 'ok'\?/u);
  assert.match(refusal('sandbox/slwo:4'), /Did you mean 'slow:4'\?/u);
  assert.match(refusal('sandbox/500-biled'), /Did you mean .*'500-billed'/u);
  assert.match(refusal('sandbox/418'), /'418' does not exist/u);
  assert.match(refusal('gpt-image-2', 'gpt-image-2'), /does not exist.*GET \/faults/u);
});

test('a wrong argument says what is needed', () => {
  assert.match(refusal('slow'), /'slow' needs seconds from 0 to 3600, decimals allowed, such as 'slow:4'/u);
  assert.match(refusal('slow:soon'), /but got 'soon'/u);
  assert.match(refusal('big:1000'), /megabytes from 0 to 256/u);
  assert.match(refusal('ok:3'), /takes nothing after a colon/u);
});

test('a port is no model', () => {
  assert.match(refusal('refuse'), /is a port, not a model/u);
  assert.match(refusal('ok,reset-before-read'), /is a port, not a model/u);
});
