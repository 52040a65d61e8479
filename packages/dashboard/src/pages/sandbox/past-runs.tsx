import type { Faults } from '../../api/sandbox.ts';
import { href } from '../../router.ts';
import { usd } from '../../ui/format.ts';
import { Card } from '../../ui/layout.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { stockRun } from './stock-sdk.ts';
import type { PastRun } from './use-runs.ts';

/** What was played since the page was opened. */
export function PastRuns({ past, faults }: { readonly past: readonly PastRun[]; readonly faults: Faults }) {
  if (past.length === 0) return null;
  const isCharged = (name: string) =>
    faults.faults.some((fault) => fault.api === 'images' && fault.name === name && fault.charges);
  const stockOf = ({ script }: PastRun) => stockRun(script, isCharged);
  const columns: readonly Column<PastRun>[] = [
    {
      head: 'Played',
      cell: ({ id, model }) => (
        <a className="mono" href={href('generations', id)}>
          {model}
        </a>
      ),
    },
    { head: 'Payment', cell: ({ payment }) => payment, isExtra: true },
    { head: 'SDK: requests', cell: (run) => stockOf(run)?.tries.length ?? '–', isNumber: true },
    { head: 'charged', cell: (run) => stockOf(run)?.charged ?? '–', isNumber: true },
    { head: 'got', cell: (run) => stockOf(run)?.got ?? '–', isExtra: true },
    { head: 'Onetake: requests', cell: ({ bill }) => bill.requests, isNumber: true },
    { head: 'charged', cell: ({ bill }) => `${bill.charged} (${usd(bill.charged_usd)})`, isNumber: true },
    { head: 'got', cell: ({ answer }) => answer },
  ];
  return (
    <Card title="Played so far">
      <Table label="Played so far" columns={columns} rows={past} keyOf={({ id }) => id} />
    </Card>
  );
}
