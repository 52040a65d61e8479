import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { call } from './call.ts';
import type { RunningGateway } from './gateway.ts';
import { until } from './poll.ts';
import type { RunningSandbox } from './sandbox.ts';

/** What a request carries. */
export type Headers = Readonly<Record<string, string>>;

const DAY_MS = 86_400_000;
const NEAR_MS = 90_000;

/** Waits where midnight (UTC) is near: a budget of a day that starts anew half-way has room for more. */
export async function awayFromMidnight(): Promise<void> {
  const leftMs = DAY_MS - (Date.now() % DAY_MS);
  if (leftMs < NEAR_MS) await pause(leftMs + 100);
}

/** The instant at which a budget of a day starts anew, as answers tell it. */
export function nextMidnight(): string {
  return new Date((Math.floor(Date.now() / DAY_MS) + 1) * DAY_MS).toISOString();
}

/** Of the administrator, as the machine of the gateway has it. */
export function adminOf({ dataDir }: Pick<RunningGateway, 'dataDir'>): Headers {
  return { authorization: `Bearer ${readFileSync(join(dataDir, 'admin.key'), 'utf8').trim()}` };
}

/** Makes a key and shows how to call with it. */
export async function createKey(gateway: RunningGateway, name: string, fields: object): Promise<Headers> {
  const body = { name, ...fields };
  const answer = await call(`${gateway.url}/v1/keys`, { body, headers: adminOf(gateway) });
  if (answer.status !== 201) throw new Error(`POST /v1/keys answered ${answer.status}: ${answer.text}`);
  return { authorization: `Bearer ${answer.body.key}` };
}

export interface Standing {
  readonly spent: number;
  readonly held: number;
  readonly left: number;
}

/** How the one budget of a key stands. */
export async function standingOf(gateway: RunningGateway, name: string): Promise<Standing> {
  const { body } = await call(`${gateway.url}/v1/keys/${name}`, { headers: adminOf(gateway) });
  const [window] = body.windows as readonly Standing[];
  if (window === undefined) throw new Error(`key ${name} has no budget`);
  const { spent, held, left } = window;
  return { spent, held, left };
}

/** A row of `GET /v1/costs`, or its total. */
export type Costs = Readonly<Record<string, number>>;

export async function costsOf(gateway: RunningGateway, query = ''): Promise<{ data: readonly Costs[]; total: Costs }> {
  const { body } = await call(`${gateway.url}/v1/costs?since=1d${query}`, { headers: adminOf(gateway) });
  return body as unknown as { data: readonly Costs[]; total: Costs };
}

/** Waits until nothing of what these callers asked for is open. */
export function settledDown(gateway: RunningGateway): Promise<true> {
  return until('every generation is over', async () => {
    const { body } = await call(`${gateway.url}/v1/generations?limit=1000`, { headers: adminOf(gateway) });
    const rows = body.data ?? [];
    return rows.length > 0 && rows.every(({ status }) => status !== 'processing' && status !== 'pending');
  });
}

/** The provider as `lab`, whose models cost what is said here, in US dollars per picture; others have no price. */
export function yamlWith({ url }: RunningSandbox, prices: Readonly<Record<string, number>>, more = ''): string {
  return [
    'providers:',
    `  lab: { kind: openai-compatible, base_url: "${url}/v1" }`,
    'models:',
    ...Object.entries(prices).map(([model, usd]) => `  "lab/${model}": { price: { per_image_usd: ${usd} } }`),
    more,
    'sandbox: off',
    '',
  ].join('\n');
}
