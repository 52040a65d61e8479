import { type Generation, isChatPlan, ledgerOf } from '@onetake/core';
import type { StoredGeneration } from '../store/store.ts';
import { targetOf } from './adapted.ts';
import { priceAhead } from './price-ahead.ts';

/** What `GET /v1/generations/{id}` adds for those who look for the cause: money by attempt, and what once more costs. */
export function traceFields({ plan, requestId }: StoredGeneration, generation: Generation) {
  const lines = generation.outcome ? ledgerOf(plan, generation) : undefined;
  return {
    requestId,
    ledger: lines?.map(({ spentMicroUsd, possibleMicroUsd, savedMicroUsd, message: _, ...line }) => ({
      ...line,
      spentUsd: usdOf(spentMicroUsd),
      possibleUsd: usdOf(possibleMicroUsd),
      ...(savedMicroUsd !== undefined && { savedUsd: usdOf(savedMicroUsd) }),
    })),
    againUsd: againUsd(plan, generation),
  };
}

function usdOf(microUsd: number | null): number | null {
  return microUsd === null ? null : microUsd / 1e6;
}

/** What the same pictures cost once more, from the target that made them; null where nobody knows, absent of chat. */
function againUsd(plan: StoredGeneration['plan'], generation: Generation): number | null | undefined {
  if (isChatPlan(plan)) return undefined;
  return priceAhead(plan, targetOf(plan, generation)).usd;
}
