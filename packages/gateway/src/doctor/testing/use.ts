import type { CostRow } from '../../store/ledger.ts';

/** Sums of a group, nothing where it is not told. */
export function costRow(group: CostRow['group'], told: Partial<CostRow> = {}): CostRow {
  return {
    ...{ group, requests: 0, attempts: 0, images: 0, spentMicroUsd: 0, retriedMicroUsd: 0, fallbackMicroUsd: 0 },
    ...{ refused: 0, refusedMicroUsd: 0, cached: 0, savedMicroUsd: 0, unknown: 0, possibleMicroUsd: 0, unpriced: 0 },
    ...told,
  };
}
