import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsOf, parseEvent } from './event-stream.ts';

test('an event is read whatever its fields and line ends, a comment is none', () => {
  assert.deepEqual(parseEvent('event: now\nid: 7\ndata: {"a":\ndata: 1}'), {
    ...{ event: 'now', id: '7', data: '{"a":\n1}' },
  });
  assert.deepEqual(parseEvent('data:x\r\ndata: y'), { event: 'message', id: undefined, data: 'x\ny' });
  assert.equal(parseEvent(': still here'), undefined);
});

test('events come out whole, however the bytes were cut', async () => {
  const bytes = new TextEncoder().encode('data: ä1\n\n: hm\n\nevent: b\ndata: 2\n\ndata: cut o');
  for (let size = 1; size < bytes.length; size += 1) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    );
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    const seen: string[] = [];
    for await (const { event, data } of eventsOf(new Response(body))) seen.push(`${event} ${data}`);
    assert.deepEqual(seen, ['message ä1', 'b 2']);
  }
});
