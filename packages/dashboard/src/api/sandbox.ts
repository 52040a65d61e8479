import { useQuery } from '@tanstack/react-query';
import { json } from './client.ts';

export interface Fault {
  readonly api: 'images' | 'tasks' | 'chat';
  readonly name: string;
  /** With a value where it takes one, such as `slow:4`. */
  readonly example: string;
  /** Whether the provider bills it. */
  readonly charges: boolean;
  readonly sentence: string;
}

export interface Faults {
  readonly faults: readonly Fault[];
  readonly ports: readonly { readonly name: string; readonly sentence: string }[];
}

export interface BillCount {
  readonly requests: number;
  readonly images: number;
  readonly charged: number;
  readonly charged_usd: number;
}

/** The provider's own bill. */
export interface Bill {
  readonly total: BillCount;
  readonly models: Readonly<Record<string, BillCount>>;
}

export function useFaults() {
  return useQuery({
    queryKey: ['sandbox', 'faults'],
    queryFn: () => json<Faults>('/v1/sandbox/faults'),
    staleTime: 60_000,
  });
}

export function readBill(): Promise<Bill> {
  return json<Bill>('/v1/sandbox/ledger');
}

/** Tears the bill up; scripts begin anew with it. */
export function clearBill(): Promise<unknown> {
  return json('/v1/sandbox/ledger', { method: 'DELETE' });
}

export function useBill(lookEveryMs: number | false) {
  return useQuery({ queryKey: ['sandbox', 'bill'], queryFn: readBill, refetchInterval: lookEveryMs, staleTime: 0 });
}
