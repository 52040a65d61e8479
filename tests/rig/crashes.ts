import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, call, generate } from './call.ts';
import { type RunningGateway, startGateway } from './gateway.ts';
import { readLedger } from './ledger.ts';
import { startSandbox } from './sandbox.ts';

/** What a gateway that was killed again and again told its callers, what it remembers, and what the provider billed. */
export interface CrashReport {
  /** Everything that was asked for, and the one answer its caller got in the end. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** Pictures the provider charged, by prompt. */
  readonly charges: ReadonlyMap<string, number>;
  /** By generation id, for every answer, as the last gateway knows it; undefined when it does not. */
  readonly remembered: ReadonlyMap<string, Remembered | undefined>;
  /** Ids under `GET /v1/generations?unknown=1`. */
  readonly unknown: ReadonlySet<string>;
  /** Requests that a kill took the answer from. */
  readonly cutOff: number;
  /** Answers that an earlier, killed request had begun. */
  readonly attached: number;
}

export interface Remembered {
  readonly status: string;
  /** Of the bytes of each picture, as `GET /v1/assets` serves them. */
  readonly pictures: readonly number[];
}

const CALLERS = 10;
const MAX_LIFE_MS = 700;
/** Slow ones are at the provider when the kill comes, quick ones often in the gateway's own hands. */
const MODELS = { slow: 'lab/slow:0.15', quick: 'lab/slow:0.02' };

interface Asked {
  readonly open: Set<string>;
  readonly answers: Map<string, Answer>;
  number: number;
  cutOff: number;
}

/** Runs callers against a gateway that is killed `kills` times at random moments; what was cut off is asked again. */
export async function crashAgainAndAgain(kills: number): Promise<CrashReport> {
  const sandbox = await startSandbox();
  const bill = createBill(sandbox.url);
  const yaml = [
    'providers:',
    `  lab: { kind: openai-compatible, base_url: "${sandbox.url}/v1" }`,
    'sandbox: off',
    '',
  ].join('\n');
  const asked: Asked = { open: new Set(), answers: new Map(), number: 0, cutOff: 0 };
  let gateway = await startGateway({ yaml });
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      await loadUntilKilled(gateway, asked);
      await bill.read();
      gateway = await startGateway({ home: gateway.home });
    }
    await Promise.all([...asked.open].map((prompt) => ask(gateway, prompt, asked)));
    const charges = await bill.read();
    const ids = [...asked.answers.values()].map(({ headers }) => String(headers['x-onetake-generation']));
    return {
      answers: asked.answers,
      charges,
      remembered: new Map(await inTurn(ids, async (id) => [id, await recall(gateway, id)] as const)),
      unknown: await unknownIds(gateway),
      cutOff: asked.cutOff,
      attached: [...asked.answers.values()].filter(({ headers }) => headers['x-onetake-attached']).length,
    };
  } finally {
    await gateway.close();
    await sandbox.close();
  }
}

async function loadUntilKilled(gateway: RunningGateway, asked: Asked): Promise<void> {
  let isAlive = true;
  const caller = async () => {
    while (isAlive) {
      const [again] = asked.open;
      asked.number += again === undefined ? 1 : 0;
      const prompt = again ?? `fox ${asked.number}`;
      asked.open.delete(prompt);
      await ask(gateway, prompt, asked);
    }
  };
  const callers = Array.from({ length: CALLERS }, caller);
  await pause(Math.random() * MAX_LIFE_MS);
  isAlive = false;
  await gateway.kill();
  await Promise.all(callers);
}

async function ask(gateway: RunningGateway, prompt: string, asked: Asked): Promise<void> {
  const model = prompt.endsWith('0') || prompt.endsWith('5') ? MODELS.slow : MODELS.quick;
  try {
    asked.answers.set(prompt, await generate(gateway.url, { model, prompt }));
    asked.open.delete(prompt);
  } catch {
    asked.cutOff += 1;
    asked.open.add(prompt);
  }
}

/** Adds up what the provider charges; its list of entries is short, so it is read often. */
function createBill(sandboxUrl: string) {
  const charges = new Map<string, number>();
  let seen = 0;
  return {
    async read(): Promise<ReadonlyMap<string, number>> {
      const { total, entries } = await readLedger(sandboxUrl);
      const fresh = total.requests - seen;
      if (fresh > entries.length) throw new Error(`${fresh} requests since the last look, ${entries.length} listed`);
      for (const { prompt = '', charged } of fresh > 0 ? entries.slice(-fresh) : [])
        charges.set(prompt, (charges.get(prompt) ?? 0) + charged);
      seen = total.requests;
      return charges;
    },
  };
}

async function recall(gateway: RunningGateway, id: string): Promise<Remembered | undefined> {
  const { status, body } = await call(`${gateway.url}/v1/generations/${id}`);
  if (status !== 200) return undefined;
  const images = body.images as readonly { readonly url: string; readonly bytes: number }[];
  const pictures = await inTurn(images, async ({ url }) => (await (await fetch(url)).arrayBuffer()).byteLength);
  return { status: String(body.status), pictures };
}

async function unknownIds(gateway: RunningGateway): Promise<ReadonlySet<string>> {
  const { body } = await call(`${gateway.url}/v1/generations?unknown=1&limit=1000`);
  if (body.next !== null) throw new Error('more than 1000 generations are unknown');
  return new Set((body.data ?? []).map(({ id = '' }) => id));
}

async function inTurn<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
