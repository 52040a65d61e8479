import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SAMPLE_ASSET, sampleRequest } from '../testing/samples.ts';
import { filePart, formParts } from './form.ts';
import { PROVIDERS } from './index.ts';

test('fields are texts, what is not given is left out, and the last of one name stands in the first’s place', () => {
  const parts = formParts(
    [
      ['n', 7],
      ['tags', ['a']],
      ['seed', undefined],
      ['style', null],
      ['n', 2],
      ['n', undefined],
    ],
    [],
  );
  assert.deepEqual(parts, [
    { name: 'n', value: '2' },
    { name: 'tags', value: '["a"]' },
    { name: 'style', value: 'null' },
  ]);
});

test('files come last, and no text is named like one', () => {
  const file = filePart('reference', SAMPLE_ASSET, 'first');
  const names = [
    'image',
    'image[]',
    'image[0]',
    'mask',
    'mask[]',
    'reference',
    'reference[]',
    'image_weight',
    'masked',
  ];
  const parts = formParts(
    names.map((name) => [name, 'x']),
    [file],
  );
  assert.deepEqual(parts, [{ name: 'image_weight', value: 'x' }, { name: 'masked', value: 'x' }, file]);
  assert.equal(file.filename, 'first.png');
});

test('no field of a caller’s stands beside a file of a form, whichever adapter sends it', () => {
  const extra = { image: 'x', 'image[]': 'x', mask: 'x', 'mask[]': 'x', style: 'ink' };
  const edit = sampleRequest({ operation: 'edit', images: [SAMPLE_ASSET], mask: SAMPLE_ASSET, extra });
  const forms: string[] = [];
  for (const { id, models, image } of PROVIDERS) {
    const context = { runId: 'run', attempt: 1, model: models[0]?.id ?? 'model', baseUrl: 'https://provider.example' };
    const { body, free } = image?.submit.build(edit, context) ?? {};
    // An upload before the request has no field of the caller's.
    if (body?.kind !== 'multipart' || free) continue;
    forms.push(id);
    const texts = body.parts.flatMap((part) => ('value' in part ? part.name : []));
    assert.deepEqual(
      texts.filter((name) => name in extra),
      ['style'],
      id,
    );
    assert.ok(
      body.parts.some((part) => 'asset' in part && part.name === 'image'),
      id,
    );
  }
  for (const id of ['openai', 'openai-compatible', 'azure', 'recraft', 'ideogram', 'stability']) {
    assert.ok(forms.includes(id), id);
  }
});
