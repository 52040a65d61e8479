/**
 * What a failing provider costs with and without Onetake: stock clients with their default retries, every fault,
 * counted from the provider's own bill. Exits with 1 when a claim does not hold. `--json` prints the cells.
 */
import { startGateway } from '../tests/rig/gateway.ts';
import { STOCK_CLIENTS } from '../tests/rig/stock-clients.ts';
import { type Cell, CLIENT_TIMEOUT_MS, FAULTS, playAll, type Way, waysOf } from './cells.ts';
import { table } from './table.ts';

interface Claim {
  readonly claim: string;
  /** The cells that break it. */
  readonly broken: readonly Cell[];
}

/** Directly, each of these is sent three times; an abort ends all of `ai`'s tries together, so it hangs once. */
const THREE_TIMES = ['reset-after-accept', 'hang-after-accept', '500', '504'];

function claimsOn(cells: readonly Cell[]): readonly Claim[] {
  const through = cells.filter(({ way }) => way !== 'direct');
  const isThrice = ({ way, fault, client }: Cell) =>
    way === 'direct' && THREE_TIMES.includes(fault) && !(client === 'ai' && fault === 'hang-after-accept');
  return [
    {
      claim: 'through Onetake, payment: strict: at most 1 charged picture in every row',
      broken: through.filter(({ way, charged }) => way === 'strict' && charged > 1),
    },
    {
      claim: 'through Onetake, by default: at most 1 charged picture in every row but 500-billed',
      broken: through.filter(({ way, fault, charged }) => way === 'default' && fault !== '500-billed' && charged > 1),
    },
    {
      claim: 'through Onetake, by default: 500-billed is repeated once and charges 2',
      broken: through.filter(({ way, fault, charged }) => way === 'default' && fault === '500-billed' && charged !== 2),
    },
    {
      claim: 'through Onetake: no row ends in a 200 without a picture',
      broken: through.filter(({ got }) => got.includes('200')),
    },
    {
      claim: `directly: ${THREE_TIMES.join(', ')} are sent 3 times (ai hangs once)`,
      broken: cells.filter((cell) => isThrice(cell) && cell.requests !== 3),
    },
  ];
}

function print(cells: readonly Cell[], claims: readonly Claim[]): void {
  const ways: readonly Way['name'][] = ['direct', 'default', 'strict'];
  const rows = FAULTS.flatMap((fault) =>
    STOCK_CLIENTS.map(({ name }) => [
      fault,
      name,
      ...ways.flatMap((way) => {
        const cell = cells.find((one) => one.fault === fault && one.client === name && one.way === way);
        return [String(cell?.requests ?? ''), String(cell?.charged ?? ''), cell?.got ?? ''];
      }),
    ]),
  );
  const columns = ['directly', 'through Onetake', 'payment: strict'].flatMap((way) => ['POSTs', 'charged', way]);
  process.stdout.write(`${table([['fault', 'client', ...columns], ...rows])}

POSTs and charged pictures are the provider's count; the third column is what the caller got. Where the provider falls
silent, the client gives up after ${CLIENT_TIMEOUT_MS} ms: openai per try, ai for all its tries together.

`);
  for (const { claim, broken } of claims) {
    process.stdout.write(`${broken.length === 0 ? 'holds ' : 'BROKEN'}  ${claim}\n`);
    for (const cell of broken) process.stdout.write(`        ${JSON.stringify(cell)}\n`);
  }
}

const gateway = await startGateway();
try {
  const cells = await playAll(STOCK_CLIENTS, waysOf(gateway.url, gateway.sandboxUrl), gateway.sandboxUrl);
  const claims = claimsOn(cells);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ cells, claims })}\n`);
  else print(cells, claims);
  if (claims.some(({ broken }) => broken.length > 0)) process.exitCode = 1;
} finally {
  await gateway.close();
}
