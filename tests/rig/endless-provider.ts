import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/**
 * Speaks for ever, in the words of both endpoints, `bytes` at once and as fast as it is read, or every 20 ms where that
 * is left out; `closed` resolves when its only caller has gone.
 */
export async function endlessProvider(t: Pick<TestContext, 'after'>, bytes?: number) {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let written = 0;
  const { url } = await providerFor(t, (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = `data: ${JSON.stringify(eventOf(request.url ?? '', bytes))}\n\n`;
    const speak = () => {
      for (let isTaken = true; isTaken && !response.destroyed; ) {
        isTaken = response.write(event) && bytes !== undefined;
        written += event.length;
      }
    };
    const speaking = bytes === undefined ? setInterval(speak, 20) : undefined;
    if (bytes !== undefined) response.on('drain', speak);
    speak();
    response.once('close', () => {
      clearInterval(speaking);
      resolve();
    });
  });
  return { url, closed, written: () => written };
}

/** A provider that answers like this, gone when the test is. */
export async function providerFor(t: Pick<TestContext, 'after'>, answers: RequestListener): Promise<{ url: string }> {
  const server = createServer(answers).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

function eventOf(path: string, bytes = 4) {
  const said = 'one '.padEnd(bytes, '.');
  if (path.endsWith('/responses'))
    return { type: 'response.output_text.delta', delta: said, item_id: 'i', output_index: 0, content_index: 0 };
  const choices = [{ index: 0, delta: { content: said }, finish_reason: null }];
  return { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices };
}
