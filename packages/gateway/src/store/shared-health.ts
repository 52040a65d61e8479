import type { ClosedGate, HealthBook } from '@onetake/core';
import type { StateCells } from './state-cells.ts';

/**
 * What one node learned at a provider's cost, all know: a gate that closes here is written to the shared cells, and one
 * that closed elsewhere is closed here. Each node opens it again by itself when its time is over, so a half-open
 * target may meet as many probes as there are nodes.
 */
export function shareHealth(health: HealthBook, cells: StateCells, onError: (error: unknown) => void): void {
  health.onClosed((closed) => {
    const key = `${closed.credential} ${closed.gate.by === 'credential' ? '' : closed.target}`;
    const seen = cells.peek<ClosedGate>(key);
    if (seen !== undefined && seen.gate.until >= closed.gate.until) return;
    Promise.resolve(
      cells.update<ClosedGate, void>(key, (known) => ({ value: later(known, closed), result: undefined })),
    ).catch(onError);
  });
  const adopt = (key: string) => {
    const closed = cells.peek<ClosedGate>(key);
    if (closed) health.adopt(closed);
  };
  for (const key of cells.keys()) adopt(key);
  cells.onChange(adopt);
}

function later(known: ClosedGate | undefined, closed: ClosedGate): ClosedGate {
  return known !== undefined && known.gate.until > closed.gate.until ? known : closed;
}
