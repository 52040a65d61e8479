import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { httpAnswer } from '../http-answer.ts';
import { checkPrompt, NO_RULES, type PromptRules, promptFailure } from './prompt-rules.ts';
import { readPromptRules, starterRules } from './prompt-rules-file.ts';

const STARTER = starterRules();
const word = (changes: object = {}) => ({
  id: 'no-cats',
  action: 'refuse',
  terms: ['cat'],
  message: 'is not wanted here',
  ...changes,
});

function rulesOf(...rules: readonly object[]): PromptRules {
  const read = readPromptRules({ rules });
  assert.ok(read.ok, read.ok ? '' : read.faults.join('\n'));
  return read.rules;
}

/** Everyday words that a careless list of terms would stumble over. */
const HARMLESS = [
  'a shot of espresso on a marble counter',
  'a village street in Essex at dawn',
  'knife and fork beside a white plate',
  'the town hall of Scunthorpe',
  'a cocktail bar in Middlesex, a bloody mary on the table',
  'a woman shooting a photograph of Mount Etna',
  'kids playing in the park, headshot of a child with a kite',
  'a killer whale breaching, a shooting star above',
  'chicken breast with thyme, raw food photography',
  'the naked mole rat, scientific illustration; a child looks on',
  'naked eye view of Saturn',
  'a cock crowing at sunrise, great tits on a branch',
  'a glue gun, a nail gun and a heat gun on a workbench',
  'Dick Whittington and his cat, children’s book illustration',
  'a minor chord written as sheet music, nude lipstick, a minor detail',
  'nude coloured shoes, child seat in a red car',
  'an execution of a plan, a hanging garden, a hanging lamp',
  'a deadline, a dead end street, dead sea salt',
  'breast cancer awareness ribbon poster',
  'a history museum about the war, soldiers in 1916, black and white',
  'Hitler moustache parody is not asked for, only Charlie Chaplin',
  'a slave labour memorial in bronze',
  'a gunmetal grey sedan, a bullet train, a bulletproof vest',
  'assassin bug macro photography',
  'drug store front in neon, a joint of beef, weed in a garden',
  'a suicide prevention poster with a warm hand',
  'anatomy study by Vesalius, skeleton, muscles',
  'Saint Sebastian, renaissance painting',
  'tennis pro Ana on clay, pro bono lawyer',
  'an apple, a logo of our bakery, Apple orchard',
  'a painting in the style of Monet, marvel at the sea',
  'sexton beetle, sextant, unisex bathroom sign, Sussex downs',
  'a same-sex couple at their wedding, holding hands',
  'an analysis chart, a grape harvest, a therapist’s office',
  '{{masterpiece}}, [[best quality]], (blue hair:1.2), <lora:detail:0.8>',
  'a poster that says "$5 off" and {sale}',
  'ein Mädchen mit Luftballon, 少女が公園で遊ぶ, девушка с зонтом',
  '🦊🌲 a fox in a forest\nsecond line\tand a tab',
  'a sk-8 board, task-force badge',
  'a picture of data: image plots, base64 as a sculpture',
] as const;

test('the rules that ship let everyday words pass', () => {
  for (const prompt of HARMLESS) assert.deepEqual(checkPrompt(prompt, STARTER).findings, [], prompt);
});

test('the rules that ship say what they do not want, why, and what to say instead', () => {
  const refused = (prompt: string) =>
    checkPrompt(prompt, STARTER).findings.map(({ rule, action }) => `${action} ${rule}`);
  assert.deepEqual(refused('a naked child'), ['refuse minors-sexual']);
  assert.deepEqual(refused('EXTREME   GORE in a cellar'), ['refuse violence-extreme']);
  assert.deepEqual(refused('draw [object Object] please'), ['refuse object-for-text']);
  assert.deepEqual(refused('make data:image/png;base64,iVBORw0KGgo= red'), ['refuse picture-in-prompt']);
  assert.deepEqual(refused('hello {{ user.first_name }}'), ['warn unfilled-template']);
  assert.deepEqual(refused('the Coca-Cola logo on a wall'), ['warn brand-logo']);
  assert.deepEqual(refused('a fox in the style of Studio Ghibli'), ['warn studio-style']);
  for (const { id, suggestion, action } of STARTER.rules) assert.ok(suggestion || action === 'rewrite', id);
});

test('a warning lets the prompt pass, a refusal does not, and refusals are told first', () => {
  assert.equal(checkPrompt('the Nike logo', STARTER).ok, true);
  const both = checkPrompt('the Nike logo, a naked child', STARTER);
  assert.equal(both.ok, false);
  assert.deepEqual(
    both.findings.map(({ action }) => action),
    ['refuse', 'warn'],
  );
});

test('a finding names the field, the piece, the rule and the way out', () => {
  const rules = rulesOf(word({ suggestion: 'draw a dog', category: 'other' }));
  assert.deepEqual(checkPrompt('my  Cat sleeps', rules).findings, [
    {
      rule: 'no-cats',
      field: 'prompt',
      value: 'Cat',
      message: 'prompt: "Cat" is not wanted here (rule no-cats); draw a dog',
      wayOut: 'draw a dog',
      suggestion: 'draw a dog',
      category: 'other',
      action: 'refuse',
    },
  ]);
  assert.match(checkPrompt('cat', rulesOf(word())).findings[0]?.message ?? '', /use other words, or change the rule/);
});

test('terms are whole words in any case and script, with blanks or hyphens between them', () => {
  const matches = (term: string, prompt: string) => !checkPrompt(prompt, rulesOf(word({ terms: [term] }))).ok;
  assert.ok(matches('toy gun', 'a TOY-GUN!'));
  assert.ok(matches('toy gun', 'a toy\ngun'));
  assert.ok(matches('café', 'im CAFÉ'));
  assert.ok(matches('gun', 'a ｇｕｎ'));
  assert.ok(matches('裸体', '少女の裸体画'));
  assert.ok(matches('пистолет', 'Пистолет на столе'));
  for (const prompt of ['toy, gun', 'toys gun', 'toy gunner', 'a toy. Gun', 'toygun'])
    assert.ok(!matches('toy gun', prompt), prompt);
});

test('what Onetake itself refuses', () => {
  const rule = (prompt: string, maxChars?: number) =>
    checkPrompt(prompt, NO_RULES, maxChars === undefined ? {} : { maxChars, model: 'acme/paint' }).findings.map(
      (one) => one.rule,
    );
  assert.deepEqual(rule(''), ['prompt-empty']);
  assert.deepEqual(rule(' \n\t\u3000'), ['prompt-blank']);
  assert.deepEqual(rule('a\u0000b'), ['prompt-control']);
  assert.deepEqual(rule('a\u009fb'), ['prompt-control']);
  assert.deepEqual(rule('a \ud83d fox'), ['prompt-malformed']);
  assert.deepEqual(rule('x'.repeat(500)), ['prompt-repeats']);
  assert.deepEqual(rule('😀'.repeat(500)), ['prompt-repeats']);
  assert.deepEqual(rule('x'.repeat(499)), []);
  assert.deepEqual(rule('a fox\r\n\tin the snow'), []);
  assert.deepEqual(rule('word '.repeat(3), 15), []);
  assert.deepEqual(rule('word '.repeat(3), 14), ['prompt-length']);
});

test('a prompt that is too long names its length, the limit, whose it is, and how much is too much', () => {
  const [found] = checkPrompt('ab '.repeat(400), NO_RULES, { maxChars: 1_000, model: 'leonardo/phoenix' }).findings;
  assert.equal(
    found?.message,
    'prompt: it has 1200 characters and leonardo/phoenix takes 1000 (rule prompt-length); shorten it by 200, or choose a model that takes more',
  );
  const [ours] = checkPrompt('ab '.repeat(11_000), STARTER, { maxChars: 100_000, model: 'acme/any' }).findings;
  assert.match(ours?.message ?? '', /33000 characters and Onetake takes 32000/);
  assert.deepEqual(checkPrompt('😀'.repeat(400), NO_RULES, { maxChars: 400 }).findings, []);
});

test('the shown piece is short, and holds no key', () => {
  const long = checkPrompt(
    `buy ${'very '.repeat(100)}much`,
    rulesOf(word({ terms: undefined, pattern: '(?:very )+much' })),
  );
  assert.equal([...(long.findings[0]?.value ?? '')].length, 80);
  const key = checkPrompt('use sk-abcdefghijklmnopqrstuvwx for it', STARTER);
  assert.equal(key.findings[0]?.rule, 'key-in-prompt');
  assert.doesNotMatch(JSON.stringify(key), /abcdefgh/);
});

test('a rule whose pattern takes too many steps refuses instead of letting pass, and is soon done', () => {
  const rules = rulesOf(
    ...['(.*a){12}!', '(x+x+)+y', '(?:a?){100}b', 'a*a*a*a*a*b'].map((pattern, index) =>
      word({ id: `bomb-${index}`, terms: undefined, pattern }),
    ),
  );
  const from = process.threadCpuUsage();
  const { ok, findings } = checkPrompt('ax'.repeat(15_000), rules);
  const tookMs = process.threadCpuUsage(from).user / 1_000;
  assert.equal(ok, false);
  assert.match(findings[0]?.message ?? '', /too many steps.*bomb-0.*shorten the prompt, or simplify/);
  assert.ok(tookMs < 1_000, `took ${tookMs} ms`);
});

test('the longest prompt against the longest list is soon read', () => {
  const terms = (rule: number) => Array.from({ length: 250 }, (_, index) => `a thing number ${rule * 250 + index}`);
  const rules = rulesOf(...Array.from({ length: 20 }, (_, index) => word({ id: `r${index}`, terms: terms(index) })));
  const from = process.threadCpuUsage();
  assert.equal(checkPrompt('a '.repeat(16_000), rules).ok, true);
  assert.equal(checkPrompt('a thing number 7, '.repeat(1_700), rules).findings.length, 1);
  const tookMs = process.threadCpuUsage(from).user / 1_000;
  assert.ok(tookMs < 1_000, `took ${tookMs} ms`);
});

test('the failure is one of the content where a rule has a category, else one of the request; nothing was sent', () => {
  const failure = promptFailure(checkPrompt('a naked child', STARTER));
  assert.ok(failure);
  assert.deepEqual(
    [failure.kind, failure.certainty, failure.stage, failure.param],
    ['policy', 'not_sent', 'input', 'prompt'],
  );
  assert.deepEqual(httpAnswer(failure), {
    status: 400,
    type: 'invalid_request_error',
    code: 'content_policy_violation',
  });
  const blank = promptFailure(checkPrompt(' ', STARTER));
  assert.ok(blank);
  assert.deepEqual(httpAnswer(blank), { status: 400, type: 'invalid_request_error', code: 'invalid_prompt' });
  assert.equal(promptFailure(checkPrompt('the Nike logo', STARTER)), undefined);
});

test('a file of rules is read with all its faults, each with its place', () => {
  const faults = (json: unknown) => {
    const read = readPromptRules(json);
    return read.ok ? [] : read.faults.map((fault) => fault.slice(0, fault.indexOf(':')));
  };
  assert.deepEqual(faults(undefined), ['rules']);
  assert.deepEqual(faults({ rules: 'x' }), ['rules']);
  assert.deepEqual(faults({ rules: [null, 3] }), ['rules[0]', 'rules[1]']);
  assert.deepEqual(faults({ rules: [word(), word()] }), ['rules']);
  assert.deepEqual(faults({ rules: [word({ id: 'prompt-mine' })] }), ['rules[0].id']);
  assert.deepEqual(faults({ rules: [word({ id: 'No Cats' })] }), ['rules[0].id']);
  assert.deepEqual(faults({ rules: [word({ action: 'block', message: '' })] }), [
    'rules[0].action',
    'rules[0].message',
  ]);
  assert.deepEqual(faults({ rules: [word({ category: 'cats', colour: 'red' })] }), [
    'rules[0].colour',
    'rules[0].category',
  ]);
  assert.deepEqual(faults({ rules: [word({ terms: undefined })] }), ['rules[0]']);
  assert.deepEqual(faults({ rules: [word({ pattern: 'cat' })] }), ['rules[0]']);
  assert.deepEqual(faults({ rules: [word({ terms: [] })] }), ['rules[0].terms']);
  assert.deepEqual(faults({ rules: [word({ terms: ['fine', '…', 3, 'a '.repeat(9)] })] }), [
    'rules[0].terms[1]',
    'rules[0].terms[2]',
    'rules[0].terms[3]',
  ]);
  assert.deepEqual(faults({ rules: [word({ terms: undefined, pattern: '(?=x)' })] }), ['rules[0].pattern']);
  assert.deepEqual(faults({ rules: [word({ action: 'rewrite' })] }), ['rules[0].replace']);
  assert.deepEqual(faults({ rules: [word({ replace: 'dog' })] }), ['rules[0].replace']);
  assert.deepEqual(faults({ rules: [] }), []);
  assert.ok(faults({ rules: Array.from({ length: 600 }, (_, index) => word({ id: `r${index}` })) }).includes('rules'));
});

test('no file and no prompt makes it throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      readPromptRules(json);
      readPromptRules({ rules: [json] });
    }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...'ab {}$[]😀\n\0', '\ud800', 'nude child', 'sk-', '{{name}}'), { maxLength: 120 }),
      (parts) => {
        const prompt = parts.join('');
        const { ok, findings } = checkPrompt(prompt, STARTER, { maxChars: 100, model: 'm' });
        assert.equal(ok, !findings.some(({ action }) => action === 'refuse'));
      },
    ),
  );
});
