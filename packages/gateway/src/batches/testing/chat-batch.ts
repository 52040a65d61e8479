import { readFile } from 'node:fs/promises';
import { type Batch, isOver } from '../batch.ts';
import { answerTo, CHAT, chatLines } from './chat-world.ts';
import { createBatch, type Node, until, type World } from './world.ts';

/** A line of an output or error file. */
export interface Written {
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    readonly body: { readonly error?: { readonly code: string; readonly param: string | null } };
  } | null;
  readonly error: { readonly code: string } | null;
}

/** The text of a file that a batch wrote. */
export async function textOf({ files }: Node, id: string | undefined): Promise<string> {
  const file = await files.find('local', id ?? '');
  return file ? readFile(files.pathOf('local', file.id), 'utf8') : '';
}

export async function linesOf(node: Node, id: string | undefined): Promise<readonly Written[]> {
  const text = await textOf(node, id);
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

export function begin(node: Node, requests: readonly object[], endpoint = CHAT): Promise<Batch> {
  return createBatch(node, requests, 'local', endpoint);
}

/** Answers what is asked, and resolves with the batch once it is over. */
export function ended(node: Node, id: string, world?: World): Promise<Batch> {
  return until(async () => {
    for (const line of world?.chats.open() ?? []) line.answer(answerTo(line.said));
    const batch = await node.batches.find('local', id);
    return batch && isOver(batch) && batch;
  });
}

export async function answeredOf(node: Node, id: string): Promise<number | undefined> {
  return (await node.batches.find('local', id))?.counts.completed;
}

/** Resolves when so many lines are over, as far as the batch says. */
export async function settled(world: World, node: Node, id: string, count: number): Promise<void> {
  await until(async () => {
    world.clock.advance(1_000);
    return (await answeredOf(node, id)) === count;
  });
}

export const NAMES = (count: number) => chatLines(count).map(({ custom_id }) => custom_id);
export const namesOf = (lines: readonly Written[]) => lines.map(({ custom_id }) => custom_id);
