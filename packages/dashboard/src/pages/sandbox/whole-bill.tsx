import type { Bill, BillCount } from '../../api/sandbox.ts';
import { count, usd } from '../../ui/format.ts';
import { Badge, Card } from '../../ui/layout.tsx';
import { Empty } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { billedBetween } from './faults.ts';

interface Row extends BillCount {
  readonly model: string;
  /** Since the play that is shown was sent. */
  readonly grown: number;
}

const MOST_ROWS = 100;

/** The provider's bill, of everybody who used it. */
export function Whole({ bill, before }: { readonly bill: Bill; readonly before: Bill | undefined }) {
  const rows = Object.entries(bill.models)
    .map(
      ([model, counts]): Row => ({
        model,
        ...counts,
        grown: before ? billedBetween(before, bill, [model]).charged : 0,
      }),
    )
    .toSorted((a, b) => b.grown - a.grown || b.charged - a.charged);
  const columns: readonly Column<Row>[] = [
    { head: 'Model', cell: ({ model }) => <span className="mono sandbox-model">{model}</span> },
    { head: 'Requests', cell: ({ requests }) => count(requests), isNumber: true, isExtra: true },
    { head: 'Pictures', cell: ({ images }) => count(images), isNumber: true, isExtra: true },
    {
      head: 'Charged',
      cell: ({ charged, grown }) => (
        <>
          {grown > 0 && <Badge tone="info">+{count(grown)}</Badge>} {count(charged)}
        </>
      ),
      isNumber: true,
    },
    { head: 'Amount', cell: ({ charged_usd: amount }) => usd(amount), isNumber: true },
  ];
  return (
    <Card
      title={`The whole bill: ${usd(bill.total.charged_usd)} for ${count(bill.total.charged)} of ${count(bill.total.requests)} requests`}
    >
      {rows.length === 0 ? (
        <Empty>Nothing was charged yet.</Empty>
      ) : (
        <Table label="Bill by model" columns={columns} rows={rows.slice(0, MOST_ROWS)} keyOf={({ model }) => model} />
      )}
      {rows.length > MOST_ROWS && <p className="muted">{rows.length - MOST_ROWS} smaller ones are left out.</p>}
    </Card>
  );
}
