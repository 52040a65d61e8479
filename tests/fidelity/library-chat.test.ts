import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { broken, messageOf, PROGRAMS, type Program, statusOf, stoppedBy, textOf } from '../rig/chat-programs.ts';
import { endlessProvider } from '../rig/endless-provider.ts';
import { sandboxFor } from '../rig/imitations.ts';
import { countOf } from '../rig/ledger.ts';
import { clientOf, direct } from '../rig/library-client.ts';

type Claim = (t: TestContext, stream: Program['stream']) => Promise<void>;

/** What holds for every program, whatever its SDK. */
const CLAIMS: Readonly<Record<string, Claim>> = {
  'reads what it reads without us': async (t, stream) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    const text = await textOf(stream({ fetch }, 'ok', 'a word on foxes'));
    assert.ok(text.length > 10, text);
    assert.equal(text, await textOf(stream(direct(sandbox), 'ok', 'a word on foxes')));
  },
  'sees one answer where the provider was asked three times': async (t, stream) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    assert.ok((await textOf(stream({ fetch }, '429,429,ok', 'a word'))).length > 0);
    assert.equal((await countOf(sandbox.url, '429,429,ok')).requests, 3);
  },
  'is answered by the next target where the first died before its first word': async (t, stream) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`, ['lab/die-before-first', 'lab/ok']);
    const text = await textOf(stream({ fetch }, 'best', 'a word on foxes'));
    assert.equal(text, await textOf(stream(direct(sandbox), 'ok', 'a word on foxes')));
    assert.equal((await countOf(sandbox.url, 'ok')).requests, 2);
  },
  'is told of a stream that died, and gets no second answer': async (t, stream) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`, ['lab/die-mid-stream', 'lab/ok']);
    const { text, error } = await broken(stream({ fetch }, 'best', 'a word on foxes'));
    assert.ok(text.length > 0);
    assert.match(messageOf(error), /lost in the middle of the answer/);
    assert.deepEqual(await countOf(sandbox.url, 'ok'), { requests: 0, charged: 0 });
  },
  'is told the provider’s own words where it failed in the middle': async (t, stream) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    const { error } = await broken(stream({ fetch }, 'error-mid-stream', 'a word'));
    assert.equal(
      messageOf(error),
      messageOf((await broken(stream(direct(sandbox), 'error-mid-stream', 'a word'))).error),
    );
  },
  'is refused with a status, once': async (t, stream) => {
    const sandbox = await sandboxFor(t);
    const { fetch } = clientOf(t, `${sandbox.url}/v1`);
    const { text, error } = await broken(stream({ fetch }, '401', 'a word'));
    assert.equal(text, '');
    assert.equal(statusOf(error), 502);
    assert.equal((await countOf(sandbox.url, '401')).requests, 1);
  },
  'ends the provider’s work within a second when it stops': async (t, stream) => {
    const provider = await endlessProvider(t);
    const { fetch } = clientOf(t, provider.url);
    const stop = new AbortController();
    // Some programs end quietly when they are stopped, and some throw.
    const text = await textOf(stoppedBy(stop, stream({ fetch }, 'any', 'count', stop.signal))).catch(String);
    assert.ok(stop.signal.aborted, text);
    const stoppedAt = performance.now();
    await provider.closed;
    assert.ok(performance.now() - stoppedAt < 1_000);
  },
};

suite('programs with the library’s fetch', { concurrency: true }, () => {
  for (const { name, stream } of PROGRAMS)
    for (const [claim, holds] of Object.entries(CLAIMS)) test(`${name} ${claim}`, (t) => holds(t, stream));
});
