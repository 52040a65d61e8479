/** Appends to the store at the path given, says each acknowledged one on a line of its own, and never ends by itself. */
import { writeSync } from 'node:fs';
import { sampleFence, sampleGeneration, started } from '../contract/samples.ts';
import { openSqliteStore } from '../sqlite.ts';

const say = (line: string) => writeSync(1, `${line}\n`);

async function appendForever(path: string, round: string): Promise<void> {
  const store = await openSqliteStore({ path });
  const names = Array.from({ length: 16 }, (_, index) => `round-${round}-${index}`);
  const append = async (name: string) => {
    await store.create(sampleGeneration(name));
    for (let length = 0; ; length += 1) {
      await store.append(sampleFence(name, length), [started(length)]);
      say(`${name} ${length + 1}`);
    }
  };
  await Promise.all(names.map(append));
}

const [, , path = '', round = ''] = process.argv;
appendForever(path, round).catch((error) => say(`failed ${error.name}`));
