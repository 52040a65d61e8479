import { type Count, countOf } from '../tests/rig/ledger.ts';
import type { StockClient } from '../tests/rig/stock-clients.ts';

/** How a client reaches the provider. */
export interface Way {
  readonly name: 'direct' | 'default' | 'strict';
  readonly baseUrl: string;
  readonly modelPrefix: '' | 'sandbox/';
  readonly headers: Readonly<Record<string, string>>;
}

/** One fault as one client lived it one way; the counts are the provider's own. */
export interface Cell extends Count {
  readonly fault: string;
  readonly client: StockClient['name'];
  readonly way: Way['name'];
  readonly got: string;
}

export const FAULTS = [
  'reset-after-accept',
  'hang-after-accept',
  '504',
  '502-html',
  'stall-mid-body',
  'truncated-json',
  'empty',
  'zero',
  'quota',
  '500',
  '500-billed',
];

/** Where the provider falls silent, clients have this much patience. */
const SILENT = ['hang-after-accept', 'stall-mid-body'];
export const CLIENT_TIMEOUT_MS = 2_000;

/** The three ways of a gateway that has a sandbox: past it, through it, and through it with `payment: strict`. */
export function waysOf(gatewayUrl: string, sandboxUrl: string): readonly Way[] {
  const through = { baseUrl: `${gatewayUrl}/v1`, modelPrefix: 'sandbox/' } as const;
  return [
    { name: 'direct', baseUrl: `${sandboxUrl}/v1`, modelPrefix: '', headers: {} },
    { name: 'default', ...through, headers: {} },
    { name: 'strict', ...through, headers: { 'x-onetake-payment': 'strict' } },
  ];
}

/** Plays every fault for every client every way, all at the same time. */
export function playAll(clients: readonly StockClient[], ways: readonly Way[], sandboxUrl: string): Promise<Cell[]> {
  const cells = FAULTS.flatMap((fault) =>
    clients.flatMap((client, row) =>
      ways.map((way, column) => play(fault, client, way, 1 + row * ways.length + column, sandboxUrl)),
    ),
  );
  return Promise.all(cells);
}

/** A script that repeats one fault behaves as the fault, under a name, a breaker and a bill of its own. */
async function play(fault: string, client: StockClient, way: Way, repeats: number, sandboxUrl: string): Promise<Cell> {
  const model = Array.from({ length: repeats }, () => fault).join(',');
  const got = await client.generate({
    baseUrl: way.baseUrl,
    model: way.modelPrefix + model,
    prompt: `a red fox, ${client.name}, ${way.name}, ${fault}`,
    size: '256x256',
    headers: way.headers,
    ...(SILENT.includes(fault) && { timeoutMs: CLIENT_TIMEOUT_MS }),
  });
  return { fault, client: client.name, way: way.name, got, ...(await countOf(sandboxUrl, model)) };
}
