import { randomBytes } from 'node:crypto';
import type { Store } from '../store/store.ts';

/** The secret that a caller's deliveries are signed with, as Standard Webhooks writes it: `whsec_…`. */
export type SecretOf = (caller: string) => Promise<string>;

export interface WebhookSecretsOptions {
  readonly cells: Pick<Store, 'readCell' | 'swapCell'>;
  /** What the configuration fixes for a caller. */
  readonly configured: (caller: string) => string | undefined;
  /** Default: 32 bytes of the system's randomness. */
  readonly randomSecret?: () => string;
}

const PREFIX = 'whsec_';
const SECRET_BYTES = { made: 32, least: 24, most: 64 } as const;
/** Losing to another node leaves its secret to read, so a second round is only met when cells vanish. */
const MAX_ROUNDS = 5;

/** In words, what `isWebhookSecret` takes. */
export const SECRET_RULE = `whsec_ and ${SECRET_BYTES.least} to ${SECRET_BYTES.most} bytes in base64`;

/** Whether a text is a symmetric secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in padded base64. */
export function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const encoded = text.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64');
  const { least, most } = SECRET_BYTES;
  return bytes.length >= least && bytes.length <= most && bytes.toString('base64') === encoded;
}

/** The configured secret, else one that is made once and kept in the store, where every node finds the same. */
export function createWebhookSecrets(options: WebhookSecretsOptions): SecretOf {
  const { cells, configured, randomSecret = makeSecret } = options;
  return async (caller) => {
    const fixed = configured(caller);
    if (fixed !== undefined) return fixed;
    const key = `webhook-secret/${caller}`;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const cell = await cells.readCell(key);
      if (typeof cell?.value === 'string') return cell.value;
      const secret = randomSecret();
      if (await cells.swapCell(key, cell?.version ?? 0, secret)) return secret;
    }
    throw new Error(`the webhook secret of ${caller} could not be written in ${MAX_ROUNDS} rounds`);
  };
}

function makeSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES.made).toString('base64');
}
