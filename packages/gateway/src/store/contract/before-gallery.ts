import assert from 'node:assert/strict';
import type { Event } from '@onetake/core';
import type { Store } from '../store.ts';
import { ids, samplePicture, started } from './samples.ts';

/** What the first asked for. */
export const PROMPT_BEFORE_GALLERY = 'A "Red FOX"\nin the GÄRTEN';

/**
 * Rows of `events` as they were before the gallery: generation 1 handed over the pictures of these letters, two by its
 * second run and one by its first; generation 2 made the first of them, and failed.
 */
export function eventsBeforeGallery(first: string, second: string, third: string) {
  const ended = (...letters: readonly string[]) => ({
    ok: true,
    images: letters.map((letter) => ({
      asset: { ...samplePicture(letter), animated: false, alpha: false },
      revisedPrompt: '\0 and \ud800',
    })),
  });
  const finished = (...letters: readonly string[]) => ({ type: 'finished', at: 30, outcome: ended(...letters) });
  const attempt = { type: 'attempt-ended', at: 29, attempt: 1, outcome: ended('d'), note: '\0 "type":"finished"' };
  const rows: readonly (readonly [number, number, number, Event | object])[] = [
    [1, 0, 0, started(1)],
    [1, 0, 1, attempt],
    [1, 0, 2, finished(first)],
    [1, 1, 0, finished(second, third)],
    [2, 0, 0, attempt],
    [2, 0, 1, { type: 'finished', at: 30, outcome: { ok: false, failure: { kind: 'server' } } }],
  ];
  return rows.map(([generation, run, seq, event]) => [generation, run, seq, JSON.stringify(event)] as const);
}

/** Of three letters in alphabetical order. */
export async function checkBeforeGallery(store: Store): Promise<void> {
  const { rows } = await store.gallery({ viewer: 'local', limit: 10 });
  assert.deepEqual(
    rows.map(({ generation, index, hash, width }) => [generation, index, hash.slice(0, 1), width]),
    [
      ['a', 0, 'a', 64],
      ['a', 1, 'b', 64],
      ['a', 2, 'c', 64],
    ],
  );
  for (const text of ['red fox', '"RED Fox"\nin', 'gÄrten'])
    assert.deepEqual(ids((await store.search({ text, limit: 10 })).rows), ['a'], text);
  assert.deepEqual(ids((await store.search({ text: 'other', limit: 10 })).rows), ['b']);
}
