import { z } from 'zod';
import type { Environment } from './environment.ts';
import { fault, type Report } from './report.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const FORMATS = ['json', 'pretty'] as const;

export interface LogConfig {
  /** Nothing below it is written; `info` has a line for every request. */
  readonly level: (typeof LOG_LEVELS)[number];
  /** Absent: pretty in a terminal, else JSON. */
  readonly format?: (typeof FORMATS)[number];
}

const LEVEL = `one of ${LOG_LEVELS.join(', ')}`;

/** The section `log`. */
export const log = z.strictObject(
  {
    level: z.enum(LOG_LEVELS, { error: LEVEL }).exactOptional(),
    format: z.enum(FORMATS, { error: 'json or pretty' }).exactOptional(),
  },
  { error: 'a map' },
);

const DEFAULT_LEVEL = 'warn';

/** `ONETAKE_LOG_LEVEL` goes before the file: it is how somebody looks closer for once. */
export function readLog({ level, format }: z.infer<typeof log>, env: Environment, report: Report): LogConfig {
  const told = env.ONETAKE_LOG_LEVEL?.toLowerCase();
  const known = LOG_LEVELS.find((one) => one === told);
  if (told && known === undefined) report.faults.push(fault('ONETAKE_LOG_LEVEL', LEVEL, env.ONETAKE_LOG_LEVEL));
  return { level: known ?? level ?? DEFAULT_LEVEL, ...(format !== undefined && { format }) };
}
