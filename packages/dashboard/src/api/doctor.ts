import { useMutation } from '@tanstack/react-query';
import { json, withQuery } from './client.ts';

export type Level = 'ok' | 'skipped' | 'warning' | 'broken';

export interface Finding {
  readonly check: string;
  readonly id: string;
  readonly level: Level;
  readonly subject?: string;
  readonly message: string;
  readonly advice?: string;
  /** A command or lines of a file that would mend it. */
  readonly fix?: string;
  readonly link?: string;
}

export interface Diagnosis {
  readonly verdict: 0 | 1 | 2;
  readonly health: 'healthy' | 'warnings' | 'broken';
  readonly at: number;
  readonly counts: Readonly<Record<Level, number>>;
  readonly findings: readonly Finding[];
}

export interface WantedDiagnosis {
  /** Ask providers and names too; nothing is paid for. */
  readonly network: boolean;
  readonly provider: string;
}

export function useDiagnosis() {
  return useMutation({
    mutationFn: ({ network, provider }: WantedDiagnosis) =>
      json<Diagnosis>(withQuery('/v1/doctor', { network: network ? 1 : undefined, provider })),
  });
}
