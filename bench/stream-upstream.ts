/** A provider of chat that costs as little as it can: `tokens-N` answers with N tokens, `PER_SECOND` of them a second. */
import { createServer, type ServerResponse } from 'node:http';
import { serve } from './serving.ts';
import { FIRST_EVENT, LAST_EVENTS, PER_SECOND, TOKEN_EVENT } from './stream-events.ts';

interface Stream {
  readonly response: ServerResponse;
  left: number;
}

/** All streams of one slot speak together; one timer for all of them keeps this process cheap. */
const SLOTS = 40;
const slots: Set<Stream>[] = Array.from({ length: SLOTS }, () => new Set());
let next = 0;

function speak(streams: Set<Stream>): void {
  for (const stream of streams) {
    const { response } = stream;
    if (response.destroyed) streams.delete(stream);
    else if (stream.left > 0) response.write(TOKEN_EVENT);
    else {
      streams.delete(stream);
      response.end(LAST_EVENTS);
    }
    stream.left -= 1;
  }
}

const periodMs = 1000 / PER_SECOND / SLOTS;
const startedAt = performance.now();
let spoken = 0;
setInterval(() => {
  // As many slots as are due: a timer that comes late must not slow the tokens down.
  const due = Math.floor((performance.now() - startedAt) / periodMs);
  for (; spoken < due; spoken += 1) speak(slots[spoken % SLOTS] ?? new Set());
}, periodMs);

serve(
  createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      body = (body + text).slice(0, 10_000);
    });
    request.on('end', () => {
      const left = Number(/"tokens-(\d{1,6})"/.exec(body)?.[1] ?? 0);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(FIRST_EVENT);
      slots[next % SLOTS]?.add({ response, left });
      next += 1;
    });
  }),
);
