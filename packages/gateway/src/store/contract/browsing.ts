import assert from 'node:assert/strict';
import type { GalleryFilter, Mark, PictureCursor, SearchFilter } from '../browsing.ts';
import type { NewGeneration, Store, Summary } from '../store.ts';
import { createFinished, ids, sampleGeneration, samplePicture, samplePlan } from './samples.ts';
import type { SharedStoreTests, StoreTests } from './store-tests.ts';

const hashes = (rows: readonly { readonly hash: string }[]) => rows.map(({ hash }) => hash.slice(0, 1)).join('');

/** With pictures of these letters. */
function withPictures(letters: string): Partial<Summary> {
  const pictures = [...letters].map((letter) => samplePicture(letter));
  return { target: 'sandbox/fast', pictures, assets: pictures };
}

function asked(id: string, prompt: string, change: Partial<NewGeneration> = {}): NewGeneration {
  return sampleGeneration(id, { plan: samplePlan(prompt), ...change });
}

async function fill(store: Store): Promise<void> {
  await createFinished(store, asked('one', 'A Red FOX', { createdAt: 10 }), withPictures('ab'));
  const failed = { status: 'failed', code: 'timeout', billed: 'no', target: 'other/slow' } as const;
  await createFinished(store, asked('two', 'a red fox jumps', { createdAt: 20 }), failed);
  const plan = { ...samplePlan('Über Grün, 100% \\ "x"_'), route: 'image-fast' };
  await createFinished(store, sampleGeneration('three', { plan, createdAt: 30, caller: 'ann' }), withPictures('c'));
  await store.create(asked('four', 'a fox that goes on', { createdAt: 40, candidates: 'set_1' }));
}

async function found(store: Store, filter: Partial<SearchFilter>): Promise<readonly string[]> {
  const { rows, next, stoppedAfter } = await store.search({ limit: 10, ...filter });
  assert.deepEqual([next, stoppedAfter], [undefined, undefined]);
  return ids(rows);
}

async function shown(store: Store, filter: Partial<GalleryFilter> = {}): Promise<string> {
  const { rows, next, stoppedAfter } = await store.gallery({ viewer: 'local', limit: 10, ...filter });
  assert.deepEqual([next, stoppedAfter], [undefined, undefined]);
  return hashes(rows);
}

function mark(store: Store, letter: string, given: Mark | null, change: { caller?: string; ofAnybody?: true } = {}) {
  return store.mark({ caller: 'local', hash: letter.repeat(64), mark: given, at: 60, ...change });
}

export const browsing: StoreTests = {
  async 'generations are found by what was asked for and what became of it'(store) {
    await fill(store);
    assert.deepEqual(await found(store, {}), ['four', 'three', 'two', 'one']);
    assert.deepEqual(await found(store, { route: 'image-fast' }), ['three']);
    assert.deepEqual(await found(store, { target: 'other/slow' }), ['two']);
    assert.deepEqual(await found(store, { target: 'sandbox/' }), ['three', 'one']);
    assert.deepEqual(await found(store, { target: 'sandbox/fas' }), []);
    assert.deepEqual(await found(store, { code: 'timeout' }), ['two']);
    assert.deepEqual(await found(store, { makes: 'chat' }), []);
    assert.deepEqual(await found(store, { makes: 'pictures', caller: 'ann' }), ['three']);
    assert.deepEqual(await found(store, { status: 'failed', text: 'fox' }), ['two']);
    assert.deepEqual(await found(store, { status: 'completed', caller: 'local', text: 'fox' }), ['one']);
  },

  async 'a text is found in capitals or not, as it stands, and nothing in it is a pattern'(store) {
    await fill(store);
    assert.deepEqual(await found(store, { text: 'red fox' }), ['two', 'one']);
    assert.deepEqual(await found(store, { text: 'FOX J' }), ['two']);
    assert.deepEqual(await found(store, { text: 'über grün' }), ['three']);
    assert.deepEqual(await found(store, { text: '100% \\ "X"_' }), ['three']);
    for (const text of ['r%d', 'r_d', 'fox  jumps', '"a red', '\u0000\ud800']) {
      assert.deepEqual(await found(store, { text }), [], text);
    }
  },

  async 'a stretch of time has its first instant and not its last, also from a cursor on'(store) {
    await fill(store);
    assert.deepEqual(await found(store, { since: 20, until: 40 }), ['three', 'two']);
    const before = { createdAt: 30, id: 'three' };
    assert.deepEqual(await found(store, { since: 20, until: 40, before }), ['two']);
    assert.deepEqual(await found(store, { until: 20, before }), ['one']);
    assert.deepEqual(await found(store, { since: 20, until: 40, before, text: 'fox' }), ['two']);
    assert.deepEqual(await found(store, { since: 20, text: 'fox', caller: 'local' }), ['four', 'two']);
  },

  async 'a row tells how many pictures were handed over, and the first'(store) {
    await fill(store);
    const { rows } = await store.search({ limit: 10 });
    const { hash, type } = samplePicture('a');
    assert.deepEqual(
      rows.map(({ id, makes, pictures, picture }) => [id, makes, pictures, picture]),
      [
        ['four', 'pictures', 0, undefined],
        ['three', 'pictures', 1, { hash: samplePicture('c').hash, type }],
        ['two', 'pictures', 0, undefined],
        ['one', 'pictures', 2, { hash, type }],
      ],
    );
    const { makes: _, pictures: __, picture: ___, ...row } = rows[3] ?? assert.fail();
    assert.deepEqual([row], (await store.list({ limit: 10 })).slice(3));
  },

  async 'pages of what was found join without a gap or a repeat'(store) {
    await fill(store);
    const seen: string[] = [];
    let filter: SearchFilter = { text: 'fox', limit: 1 };
    for (;;) {
      const { rows, next } = await store.search(filter);
      seen.push(...ids(rows));
      if (next === undefined) break;
      filter = { ...filter, before: next };
    }
    assert.deepEqual(seen, ['four', 'two', 'one']);
  },

  async 'the gallery shows what was handed over, the newest generation first and its pictures in order'(store) {
    await fill(store);
    const { rows } = await store.gallery({ viewer: 'local', limit: 10 });
    assert.equal(hashes(rows), 'cab');
    const { number, ...first } = rows[2] ?? assert.fail();
    assert.equal(typeof number, 'number');
    assert.deepEqual(first, {
      ...samplePicture('b'),
      ...{ generation: 'one', index: 1, prompt: 'A Red FOX', route: 'image-best', target: 'sandbox/fast' },
      ...{ caller: 'local', createdAt: 10 },
    });
    await store.append(
      { generation: 'four', run: 0, length: 0, worker: 'worker-a' },
      [{ type: 'finished', at: 50, outcome: { ok: true, images: [] } }],
      {
        ...{ status: 'completed', finishedAt: 50, billed: 'yes', assets: [samplePicture('d')] },
        pictures: [samplePicture('d')],
      },
    );
    const [newest] = (await store.gallery({ viewer: 'local', limit: 1 })).rows;
    assert.deepEqual([newest?.generation, newest?.candidates], ['four', 'set_1']);
  },

  async 'the gallery is filtered as lists are, and its pages join within a generation'(store) {
    await fill(store);
    assert.equal(await shown(store, { caller: 'local' }), 'ab');
    assert.equal(await shown(store, { generation: 'one' }), 'ab');
    assert.equal(await shown(store, { generation: 'one', caller: 'ann' }), '');
    assert.equal(await shown(store, { generation: 'none' }), '');
    assert.equal(await shown(store, { text: 'RED', caller: 'local' }), 'ab');
    assert.equal(await shown(store, { route: 'image-fast' }), 'c');
    assert.equal(await shown(store, { target: 'sandbox/', text: 'fox' }), 'ab');
    assert.equal(await shown(store, { target: 'sandbox/slow' }), '');
    for (const text of [undefined, 'a']) {
      let seen = '';
      let before: PictureCursor | undefined;
      do {
        const page = await store.gallery({
          viewer: 'local',
          limit: 1,
          ...(text && { text }),
          ...(before && { before }),
        });
        seen += hashes(page.rows);
        before = page.next;
      } while (before);
      assert.equal(seen, text ? 'ab' : 'cab');
    }
  },

  async 'a mark is its caller’s own, of what was handed over to them, and may be changed and taken away'(store) {
    await fill(store);
    assert.equal(await mark(store, 'a', 'star'), 'marked');
    assert.equal(await mark(store, 'b', 'star'), 'marked');
    assert.equal(await mark(store, 'b', 'reject'), 'marked');
    assert.equal(await mark(store, 'c', 'star'), 'unknown');
    assert.equal(await mark(store, 'e', 'star', { ofAnybody: true }), 'unknown');
    assert.equal(await mark(store, 'c', 'reject', { caller: 'boss', ofAnybody: true }), 'marked');
    const marks = async (viewer: string) => (await store.gallery({ viewer, limit: 10 })).rows.map((row) => row.mark);
    assert.deepEqual(await marks('local'), [undefined, 'star', 'reject']);
    assert.deepEqual(await marks('boss'), ['reject', undefined, undefined]);
    assert.equal(await shown(store, { mark: 'star' }), 'a');
    assert.equal(await shown(store, { mark: 'reject' }), 'b');
    assert.equal(await shown(store, { mark: 'none' }), 'c');
    assert.equal(await shown(store, { mark: 'unrejected' }), 'ca');
    assert.equal(await shown(store, { mark: 'star', caller: 'ann' }), '');
    assert.equal(await mark(store, 'b', null), 'marked');
    assert.equal(await shown(store, { mark: 'none' }), 'cb');
  },

  async 'pictures leave the gallery with their generation, and marks with the last that had the picture'(store) {
    await createFinished(store, sampleGeneration('old', { createdAt: 1 }), withPictures('a'));
    await createFinished(store, sampleGeneration('new', { createdAt: 5 }), withPictures('a'));
    await mark(store, 'a', 'star');
    await store.expire({ createdBefore: 2, excessBytes: 0, limit: 10 });
    assert.equal(await shown(store, { mark: 'star' }), 'a');
    await store.expire({ createdBefore: 10, excessBytes: 0, limit: 10 });
    assert.equal(await shown(store), '');
    assert.deepEqual(await found(store, { text: 'fox' }), []);
    await createFinished(store, sampleGeneration('again', { createdAt: 20 }), withPictures('a'));
    assert.equal(await shown(store, { mark: 'star' }), '');
    assert.equal(await shown(store, { text: 'fox' }), 'a');
  },

  async 'what was not written, for its lease was lost, is not in the gallery'(store) {
    await store.create(sampleGeneration('g'));
    const fence = { generation: 'g', run: 0, length: 0, worker: 'somebody' };
    const summary: Summary = { status: 'completed', finishedAt: 50, billed: 'yes', assets: [], ...withPictures('a') };
    const event = { type: 'attempt-started', at: 21, attempt: 1, target: 'sandbox/fast' } as const;
    await assert.rejects(store.append(fence, [event], summary), { name: 'LostRunError' });
    assert.equal(await shown(store), '');
  },

  async 'pages have a limit from 1 to 1000'(store) {
    for (const limit of [0, 1.5, 1_001]) {
      await assert.rejects(store.search({ limit }), /limit/);
      await assert.rejects(store.gallery({ viewer: 'local', limit }), /limit/);
    }
  },
};

export const sharedBrowsing: SharedStoreTests = {
  async 'a picture that one node forgets while another marks it leaves no mark behind'(store, other) {
    for (let round = 0; round < 20; round += 1) {
      await createFinished(store, sampleGeneration(`old ${round}`, { createdAt: 1 }), withPictures('a'));
      const bounds = { createdBefore: 2, excessBytes: 0, limit: 10 };
      const [answer, expired] = await Promise.all([mark(other, 'a', 'star'), store.expire(bounds)]);
      assert.equal(expired.generations, 1);
      assert.ok(['marked', 'unknown'].includes(answer), answer);
      await createFinished(store, sampleGeneration(`new ${round}`, { createdAt: 1 }), withPictures('a'));
      assert.equal(await shown(other, { mark: 'star' }), '');
      await store.expire(bounds);
    }
  },

  async 'what one node hands over another shows and marks'(store, other) {
    await fill(store);
    assert.equal(await mark(other, 'a', 'star'), 'marked');
    assert.equal(await shown(store, { mark: 'star' }), 'a');
    assert.deepEqual(await found(other, { text: 'jumps' }), ['two']);
  },
};
