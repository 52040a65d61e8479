/** A picture in another format than was asked for: told, written anew, or counted as missing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { call } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';

const PNG = '89504e470d0a1a0a';
const JPEG = 'ffd8ff';

let gateway: RunningGateway;
before(async () => {
  gateway = await startGateway({
    yaml: `
providers:
  lab: { kind: openai, base_url: "sandbox:jpeg-as-png" }
routes:
  renamed: { targets: [lab/gpt-image-2] }
  converted: { targets: [lab/gpt-image-2], output_mismatch: convert, suspect: fail }
  strictly: { targets: [lab/gpt-image-2], output_mismatch: fail }
`,
  });
});
after(() => gateway?.close());

async function ask(model: string) {
  const body = { model, prompt: 'a fox', size: '1024x1024', output_format: 'png' };
  const answer = await call(`${gateway.url}/v1/images/generations`, { body });
  const bytes = Buffer.from(answer.body.data?.[0]?.b64_json ?? '', 'base64').toString('hex', 0, 8);
  const url = `${gateway.url}/v1/generations/${answer.headers['x-onetake-generation']}`;
  return { answer, bytes, images: (await call(url)).body.images as readonly Shown[] };
}

interface Shown {
  readonly type: string;
  readonly url: string;
  readonly converted_from?: { readonly type: string; readonly url: string };
}

test('rename, the default: the true bytes under their true type', async () => {
  const { answer, bytes } = await ask('renamed');
  assert.equal(answer.status, 200);
  assert.ok(bytes.startsWith(JPEG));
  assert.equal(answer.body.output_format, 'jpeg');
});

test('convert: what was asked for, and the original beside it for as long as the generation is kept', async () => {
  const { answer, bytes, images } = await ask('converted');
  assert.equal(answer.status, 200, answer.text.slice(0, 500));
  assert.equal(bytes, PNG);
  assert.equal(answer.body.output_format, 'png');
  const [image] = images;
  assert.deepEqual([image?.type, image?.converted_from?.type], ['png', 'jpeg']);
  for (const url of [image?.url, image?.converted_from?.url]) assert.equal((await call(url ?? '')).status, 200);
});

test('fail: it counts as missing, and says why', async () => {
  const { answer } = await ask('strictly');
  assert.deepEqual(
    [answer.status, answer.body.error?.code, answer.body.onetake?.billed],
    [424, 'suspect_image', 'yes'],
  );
  assert.match(answer.body.error?.message ?? '', /wrong_type: png was asked for and the bytes are jpeg/);
});
