import { useMutation } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { sendAsTask } from '../../api/playground.ts';
import { type Bill, type BillCount, readBill } from '../../api/sandbox.ts';

export type Payment = 'strict' | 'standard' | 'available';

/** What is to be played. */
export interface Play {
  /** The model's name: `sandbox/500,ok`, or a route. */
  readonly model: string;
  /** What stands at the sandbox for it, as its bill names it. */
  readonly billed: readonly string[];
  /** What a stock SDK would meet, which knows one target alone: `500,ok`. */
  readonly script: string;
  readonly payment: Payment;
  readonly patienceMs: number;
}

/** One play: the generation, and the bill from before it. */
export interface Run extends Play {
  readonly id: string;
  readonly before: Bill;
}

/** How a play ended. */
export interface PastRun extends Run {
  readonly answer: string;
  readonly hasPicture: boolean;
  readonly bill: BillCount;
}

export interface Runs {
  readonly current: Run | undefined;
  readonly past: readonly PastRun[];
  readonly isStarting: boolean;
  readonly error: unknown;
  readonly start: (play: Play) => void;
  readonly note: (ended: PastRun) => void;
}

const MOST_PAST = 20;

/** The play that is shown, and those before it; they are forgotten with the page. */
export function useRuns(): Runs {
  const [current, setCurrent] = useState<Run>();
  const [past, setPast] = useState<readonly PastRun[]>([]);
  const start = useMutation({ mutationFn: startRun, onSuccess: setCurrent });
  const note = useCallback(
    (ended: PastRun) => setPast((before) => [ended, ...before.filter(({ id }) => id !== ended.id)].slice(0, MOST_PAST)),
    [],
  );
  return {
    ...{ current, past, note, isStarting: start.isPending, error: start.error },
    start: (play) => !start.isPending && start.mutate(play),
  };
}

async function startRun(play: Play): Promise<Run> {
  const { model, payment, patienceMs } = play;
  const before = await readBill();
  const mark = drawMark();
  const body = {
    ...{ model, size: '512x512', onetake: { payment, timeout_ms: patienceMs } },
    // A script stands where the last request of the same prompt left it, so every play has a prompt of its own.
    prompt: `A red fox in the snow, take ${mark}`,
  };
  const { id } = await sendAsTask({ body, references: [], idempotencyKey: `page-sandbox-${mark}` });
  return { ...play, id, before };
}

function drawMark(): string {
  return [...crypto.getRandomValues(new Uint8Array(5))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
