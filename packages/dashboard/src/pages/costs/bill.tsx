import { useState } from 'react';
import type { CostRow, CostSums, Costs, Dimension } from '../../api/costs.ts';
import { Button } from '../../ui/button.tsx';
import { count, usd } from '../../ui/format.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { amountOrNone, counted } from './table.ts';

const PAGE_ROWS = 50;

interface Line {
  readonly id: string;
  readonly isTotal: boolean;
  readonly names: readonly string[];
  readonly sums: CostSums;
}

/** Every group, and what they add up to. */
export function Bill(props: { readonly costs: Costs; readonly by: readonly Dimension[]; readonly nobody: string }) {
  const { costs, by, nobody } = props;
  const [shown, setShown] = useState(PAGE_ROWS);
  const groups = costs.data.slice(0, shown).map((row): Line => lineOf(row, by, nobody));
  const total: Line = { id: 'total', isTotal: true, names: by.map(() => ''), sums: costs.total };
  const left = costs.data.length - groups.length;
  return (
    <>
      <Table label="The bill" columns={columnsFor(by)} rows={[...groups, total]} keyOf={({ id }) => id} />
      {left > 0 && (
        <Button onClick={() => setShown(shown + PAGE_ROWS)}>
          Show {count(Math.min(left, PAGE_ROWS))} of {count(left)} more
        </Button>
      )}
      {costs.truncated && (
        <p className="muted">There are more rows than the gateway tells; the total has all of them in it.</p>
      )}
    </>
  );
}

function lineOf(row: CostRow, by: readonly Dimension[], nobody: string): Line {
  const names = by.map((one) => row[one] ?? nobody);
  return { id: JSON.stringify(names), isTotal: false, names, sums: row };
}

function columnsFor(by: readonly Dimension[]): readonly Column<Line>[] {
  const number = (head: string, cell: (sums: CostSums) => string): Column<Line> => ({
    ...{ head, isNumber: true },
    cell: ({ sums, isTotal }) => (isTotal ? <strong>{cell(sums)}</strong> : cell(sums)),
  });
  const names = by.map(
    (one, index): Column<Line> => ({
      head: one,
      cell: ({ names: all, isTotal }) =>
        isTotal ? index === 0 && <strong>Total</strong> : <span className="mono costs-name">{all[index]}</span>,
    }),
  );
  return [
    ...(by.length === 0 ? [{ head: '', cell: () => <strong>Total</strong> }] : names),
    number('requests', ({ requests }) => count(requests)),
    number('images', ({ images }) => count(images)),
    number('spent', ({ spent_usd: spent }) => usd(spent)),
    number('of it repeats', ({ retried_usd: retried }) => amountOrNone(retried)),
    number('of it fallback', ({ fallback_usd: fallback }) => amountOrNone(fallback)),
    number('refused', ({ refused, refused_usd: lost }) => counted(refused, lost)),
    number('cache saved', ({ cached, saved_usd: saved }) => counted(cached, saved)),
    number('unknown, at most', ({ unknown, possible_usd: possible }) => counted(unknown, possible)),
    number('no price', ({ unpriced }) => (unpriced === 0 ? '–' : count(unpriced))),
  ];
}
