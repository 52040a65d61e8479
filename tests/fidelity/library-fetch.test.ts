import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { APP, type Way } from '../rig/chat-programs.ts';
import { endlessProvider, providerFor } from '../rig/endless-provider.ts';
import { sandboxFor } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';
import { clientOf, direct } from '../rig/library-client.ts';

suite('the library’s fetch and the openai SDK', { concurrency: true }, () => {
  test('whole answers, responses and embeddings are the provider’s own', async (t) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    const ask = async (way: Way) => {
      const openai = new OpenAI({ ...APP, ...way });
      const chat = await openai.chat.completions.create({ model: 'ok', messages: [{ role: 'user', content: 'hi' }] });
      const { output_text } = await openai.responses.create({ model: 'ok', input: 'hi' });
      const { data } = await openai.embeddings.create({ model: 'ok', input: ['a', 'b'] });
      return { message: chat.choices[0]?.message, usage: chat.usage, output_text, data };
    };
    assert.deepEqual(await ask({ fetch }), await ask(direct(sandbox)));
  });

  test('its errors are its own, by the status of the cause', async (t) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    const openai = new OpenAI({ ...APP, fetch, logLevel: 'off', maxRetries: 2 });
    const ask = (model: string, content = 'hi') =>
      openai.chat.completions.create({ model, messages: [{ role: 'user', content }] }).then(
        () => assert.fail(`${model} was answered`),
        (error: unknown) => error,
      );
    assert.ok((await ask('404')) instanceof OpenAI.NotFoundError);
    assert.ok((await ask('ok', 7 as unknown as string)) instanceof OpenAI.BadRequestError);
    const quota = await ask('quota');
    assert.ok(quota instanceof OpenAI.RateLimitError);
    assert.deepEqual([quota.code, (await countOf(sandbox.url, 'quota')).requests], ['insufficient_quota', 1]);
  });
});

suite('what else the openai SDK asks for', { concurrency: true }, () => {
  test('pictures are made, edited and streamed', async (t) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    const openai = new OpenAI({ ...APP, fetch });
    const asked = { prompt: 'a fox', size: '64x48' as '1024x1024' };
    const { data: [made] = [] } = await openai.images.generate({ ...asked, model: 'lab/503-overloaded,ok' });
    const png = Buffer.from(made?.b64_json ?? '', 'base64');
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    const image = [
      await toFile(png, 'a.png', { type: 'image/png' }),
      await toFile(png, 'b.png', { type: 'image/png' }),
    ];
    const { data: [edited] = [] } = await openai.images.edit({ ...asked, model: 'lab/ok', image });
    assert.ok((edited?.b64_json?.length ?? 0) > 100);
    const types: string[] = [];
    for await (const { type } of await openai.images.generate({ ...asked, model: 'lab/ok', stream: true }))
      types.push(type);
    assert.deepEqual(types, ['image_generation.completed']);
  });

  test('models are listed and files sent by the provider they belong to', async (t) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    const openai = new OpenAI({ ...APP, fetch });
    assert.ok((await openai.models.list()).data.length > 0);
    const { url } = await providerFor(t, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const type = request.headers['content-type'];
        response.end(JSON.stringify({ id: 'file-1', object: 'file', type, body: Buffer.concat(chunks).toString() }));
      });
      response.setHeader('content-type', 'application/json');
    });
    const sent = new OpenAI({ ...APP, fetch: clientOf(t, url).fetch });
    const file = await toFile(Buffer.from('{"a":1}\n'), 'a.jsonl');
    const { type, body } = { type: '', body: '', ...(await sent.files.create({ file, purpose: 'batch' })) };
    assert.match(type, /^multipart\/form-data; boundary=/);
    assert.match(body, /filename="a\.jsonl"[^{]*\{"a":1\}\n/);
  });
});

suite('the library’s fetch and slow readers', () => {
  test('a reader who does not read is not written for', async (t) => {
    const provider = await endlessProvider(t, 64 * 1024);
    const { fetch } = clientOf(t, provider.url);
    const body = JSON.stringify({ model: 'any', messages: [{ role: 'user', content: 'count' }], stream: true });
    const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body });
    // As long as it takes to fill what lies between: sockets and the few chunks that are held.
    for (let before = -1; before !== provider.written(); ) {
      before = provider.written();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(provider.written() < 32 * 1024 * 1024, `${provider.written()} bytes`);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await provider.closed;
  });
});
