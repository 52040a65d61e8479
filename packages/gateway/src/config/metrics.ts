import { z } from 'zod';

const OPEN = 'true or false';

/** The section `metrics`. */
export const metrics = z.strictObject(
  {
    open: z
      .union([z.boolean(), z.enum(['on', 'off'])], { error: OPEN })
      .transform((value) => value === true || value === 'on')
      .default(false),
  },
  { error: 'a map' },
);

export interface MetricsConfig {
  /** Whoever reaches the gateway may read `GET /metrics`, without a key. */
  readonly open: boolean;
}
