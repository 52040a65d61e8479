import type { JsonObject } from '@onetake/core';
import type { Ask } from './ask.ts';
import { rowsOf } from './cells.ts';
import { CliError } from './exit.ts';
import { oneLine } from './text.ts';

/** The generation that an id belongs to: its own, a request id of ours, or one that a provider gave. */
export async function findGeneration(ask: Ask, id: string): Promise<JsonObject> {
  return ask('GET', `/v1/generations/${encodeURIComponent(await generationId(ask, id))}`);
}

async function generationId(ask: Ask, id: string): Promise<string> {
  if (/^gen_/.test(id)) return id;
  const found = await ask('GET', `/v1/generations?${new URLSearchParams({ request_id: id })}`);
  const ids = rowsOf(found).map((row) => String(row.id));
  const [only, ...others] = ids;
  const shown = oneLine(id, 100);
  if (only === undefined)
    throw new CliError(`"${shown}": no generation has this id, or this request id; onetake generations lists them`);
  if (others.length > 0)
    throw new CliError(`"${shown}": it belongs to ${ids.length} generations; name one: ${ids.join(', ')}`);
  return only;
}
