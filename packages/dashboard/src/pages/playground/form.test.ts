import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capabilities } from '../../api/models.ts';
import { programsFor } from './code.ts';
import { bodyOf, EMPTY_FORM, formOf, offersFor, referencesOf, whyNot } from './form.ts';

const RATIOS: Capabilities = { size: { kind: 'ratio', ratios: ['1:1', '16:9'] }, references: { max: 2, as: 'inline' } };
const FOX = { ...EMPTY_FORM, model: 'm', prompt: 'a fox' };

test('what a model cannot be told is off, with the reason, and is not sent', () => {
  const offers = offersFor(RATIOS);
  const off = Object.entries(offers).flatMap(([name, offer]) => (offer.kind === 'off' ? [name] : []));
  assert.deepEqual(off.toSorted(), [
    ...['background', 'compression', 'format', 'moderation', 'negativePrompt', 'quality', 'resolution', 'seed', 'size'],
  ]);
  for (const offer of Object.values(offers)) if (offer.kind === 'off') assert.ok(offer.why.length > 10);
  const body = bodyOf({ ...FOX, size: '8x8', seed: '7', aspectRatio: '16:9' }, offers);
  assert.deepEqual(body, { model: 'm', prompt: 'a fox', aspect_ratio: '16:9' });
});

test('of an unknown model everything is offered, and numbers are numbers', () => {
  const form = { ...FOX, n: 3, seed: '7', compression: '80', format: 'jpeg', payment: 'strict' as const };
  assert.deepEqual(bodyOf(form, offersFor(undefined)), {
    ...{ model: 'm', prompt: 'a fox', n: 3, seed: 7, output_compression: 80, output_format: 'jpeg' },
    onetake: { payment: 'strict' },
  });
});

test('candidates are asked for instead of several pictures', () => {
  const body = bodyOf({ ...FOX, n: 3, candidates: 4, seed: '7' }, offersFor(undefined));
  assert.deepEqual(body, { model: 'm', prompt: 'a fox', onetake: { candidates: 4, pick: 'all' } });
});

test('a form that was filled from a generation asks for the same', () => {
  const request = { operation: 'generate', prompt: 'a fox', n: 2, size: '512x512', seed: 7, quality: 'low' };
  const form = formOf({ request, route: 'm', policy: { payment: 'standard' } });
  const { operation: _, ...fields } = request;
  assert.deepEqual(bodyOf(form, offersFor(undefined)), { model: 'm', ...fields });
  const hash = 'a'.repeat(64);
  assert.deepEqual(referencesOf({ images: [`<png 8x8 70 B sha256:${hash}>`, 'nothing'] }), [
    { type: 'png', hash, link: `/v1/assets/${hash}.png` },
  ]);
});

test('what cannot be sent says why', () => {
  const both = ['generate', 'edit'];
  const why = (...given: Parameters<typeof whyNot>) => String(whyNot(...given));
  assert.equal(whyNot(FOX, 0, RATIOS, both), undefined);
  assert.match(why(EMPTY_FORM, 0, RATIOS, both), /Write what/);
  assert.match(why(FOX, 3, RATIOS, both), /at most 2 pictures; remove 1/);
  assert.match(why(FOX, 1, RATIOS, ['generate']), /takes no pictures/);
  assert.match(why(FOX, 0, RATIOS, ['edit']), /from pictures alone/);
});

test('the programs say what the form says, whatever stands in it', () => {
  const body = { ...bodyOf({ ...FOX, prompt: `it's "a\nfox"`, payment: 'strict' }, offersFor(undefined)), seed: 7 };
  const asked = { body, files: [], origin: 'http://127.0.0.1:8484', needsKey: false };
  const [curl = '', node = '', python = '', ai = ''] = programsFor(asked).map(({ text }) => text);
  assert.ok(curl.includes(`-d '${JSON.stringify(body).replace("'", `'\\''`)}'`), curl);
  assert.ok(node.includes(`  prompt: ${JSON.stringify(body.prompt)},`), node);
  assert.ok(python.includes('extra_body={"onetake": {"payment": "strict"}, "seed": 7}'), python);
  assert.ok(ai.includes(`headers: { 'x-onetake-payment': "strict" }`), ai);
  assert.ok(ai.includes('seed: 7,'), ai);
  for (const text of [curl, node, python, ai]) assert.ok(!text.includes('ONETAKE_API_KEY'));
  const edits = programsFor({ ...asked, files: ['fox.png'], needsKey: true }).map(({ text }) => text);
  for (const text of edits) assert.ok(text.includes('fox.png') && text.includes('ONETAKE_API_KEY'), text);
  assert.match(String(edits[0]), /images\/edits[\s\S]*-F 'image\[\]=@fox\.png'/);
});
