import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Failure } from './failure.ts';
import type { RefusalCategory } from './policy/refusal-category.ts';
import { categoriesOf, refusalReport } from './suggestions.ts';

const refusal = (changes: Partial<Failure>): Failure => ({
  kind: 'policy',
  certainty: 'rejected',
  message: 'refused',
  ...changes,
});

/** As the adapters write what the providers say. */
const SAID: readonly (readonly [message: string, code: string | undefined, categories: readonly RefusalCategory[]])[] =
  [
    ['Your request was rejected by the safety system. safety_violations=[sexual]', 'moderation_blocked', ['sexual']],
    [
      'Rejected by the safety system. safety_violations=[violence, self-harm].',
      'moderation_blocked',
      ['violence', 'self_harm'],
    ],
    ['Rejected. safety_violations=[sexual/minors]', 'moderation_blocked', ['minors', 'sexual']],
    ['Rejected. safety_violations=[wizardry] in the violent prompt', 'moderation_blocked', ['other']],
    [
      'Your task failed as a result of our safety system. (hate: medium, violence: high)',
      'contentFilter',
      ['violence', 'hate'],
    ],
    ['The prompt was filtered (self_harm: low)', 'content_filter', ['self_harm']],
    ['The prompt was filtered (jailbreak)', 'content_filter', ['other']],
    [
      'Filtered (hate: low, sexual: high, violence: high, self_harm: low)',
      'content_filter',
      ['sexual', 'violence', 'hate', 'self_harm'],
    ],
    ['We do not allow hate, harassment, violence, nudity, self-harm or real people in pictures.', undefined, []],
    ['the request was refused: Violence, Sexual Content', undefined, ['sexual', 'violence']],
    ['the picture was withheld: Derivative Works Filter', undefined, ['likeness']],
    ['Google blocked the picture (IMAGE_SAFETY)', 'IMAGE_SAFETY', []],
    ['Google blocked the picture (IMAGE_RECITATION)', 'IMAGE_RECITATION', ['likeness']],
    ['Google blocked the prompt (SPII)', 'SPII', ['personal_data']],
    ['Your request was flagged by our content moderation system', 'content_moderation', []],
    [
      'the model answered in words instead of a picture: I can’t draw a real person without consent',
      undefined,
      ['likeness'],
    ],
    ['a children’s film about a small dog was flagged, with a minor change', undefined, []],
  ];

test('categories are read out of what each provider says', () => {
  for (const [message, code, categories] of SAID)
    assert.deepEqual(categoriesOf({ message, ...(code !== undefined && { code }) }), categories, message);
});

test('a refusal is told with its stage, its reason, what it is about and what to do', () => {
  const [message] = SAID[0] ?? [''];
  assert.deepEqual(refusalReport(refusal({ message, code: 'moderation_blocked', stage: 'input' })), {
    stage: 'input',
    reason: 'moderation_blocked',
    categories: ['sexual'],
    said: message,
    suggestions: [
      'Leave out nudity and words for bodies or underwear; say what the people wear, where they are and what they do.',
      'Say it in other words: the prompt was refused before anything was drawn, and the same words will be refused again.',
      'Try another model: providers judge differently.',
    ],
  });
});

test('a withheld picture may be asked for again, and that it may cost is said', () => {
  const report = refusalReport(refusal({ stage: 'output', certainty: 'completed', message: 'withheld: Violence' }));
  assert.match(report?.suggestions.join('\n') ?? '', /once more if a second payment is acceptable/);
});

test('what the rules would say instead goes first', () => {
  const changes = [{ from: 'a dangerous weapon', to: 'a vintage wooden toy sword', rule: 'say-weapon', at: 0 }];
  const report = refusalReport(refusal({ stage: 'input' }), { rewrite: { prompt: 'a toy', changes } });
  assert.equal(report?.suggestions[0], 'Say “a vintage wooden toy sword” instead of “a dangerous weapon”.');
});

test('of what is final only leaving it out is suggested', () => {
  const changes = [{ from: 'x', to: 'y', rule: 'z', at: 0 }];
  const context = { rewrite: { prompt: 'y', changes }, hasImages: true };
  const report = refusalReport(refusal({ message: 'safety_violations=[sexual/minors]', stage: 'output' }), context);
  assert.equal(report?.suggestions.length, 1);
  assert.match(report?.suggestions[0] ?? '', /no wording of it is accepted/);
});

test('another failure is no refusal', () => {
  assert.equal(refusalReport(refusal({ kind: 'server' })), undefined);
});

test('there are one to three suggestions, and no more of the provider’s words than fit, whatever they are', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 900, unit: 'grapheme' }),
      fc.constantFrom('input' as const, 'output' as const, undefined),
      fc.boolean(),
      (message, stage, hasImages) => {
        const report = refusalReport(refusal({ message, ...(stage && { stage }) }), { hasImages });
        assert.ok(report && report.suggestions.length >= 1 && report.suggestions.length <= 3);
        assert.equal(new Set(report.suggestions).size, report.suggestions.length);
        assert.ok([...(report.said ?? '')].length <= 300);
      },
    ),
  );
  const said = refusalReport(refusal({ message: `no <b>key</b> sk-abcdefghijklmnop ${'long '.repeat(100)}` }))?.said;
  assert.match(said ?? '', /^no key \[redacted\] long .*…$/);
});
