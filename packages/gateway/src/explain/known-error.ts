import { FAILURES, type FailureKind } from '@onetake/core';
import { z } from 'zod';

const text = (max: number) => z.string().trim().min(1).max(max);
const answer = z.enum(['no', 'maybe', 'yes']);
const kinds = Object.keys(FAILURES) as [FailureKind, ...FailureKind[]];

const entrySchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/),
  /** Whom it is known of; empty where it may come from anybody. */
  providers: z.array(z.string().regex(/^[a-z0-9-]+$/)).max(8),
  match: z.strictObject({
    /** What the error is called in its body; `field:value` counts in that field of JSON alone. */
    codes: z.array(text(80)).max(16),
    statuses: z.array(z.int().min(200).max(599)).max(8),
    /** Words in this order, whatever stands between them in punctuation; `…` is a gap of up to 80 characters. */
    phrases: z.array(text(120)).max(12),
    /** Its codes stand for several errors: words that tell a narrower one come first. */
    umbrella: z.literal(true).optional(),
  }),
  title: text(80),
  meaning: text(400),
  kind: z.enum(kinds),
  who: z.enum(['caller', 'operator', 'account_owner', 'provider', 'network_admin', 'nobody']),
  do: text(400),
  retry: z.strictObject({ useful: answer, when: text(160) }),
  another_key: answer,
  another_key_when: text(120).optional(),
  fallback: answer,
  billed: answer,
  link: z
    .url({ protocol: /^https$/ })
    .max(200)
    .optional(),
  source: z.strictObject({
    from: text(160),
    /** How it is known: read in source code, in documentation, told by others, or not confirmed at all. */
    verified: z.enum(['source', 'documentation', 'third_party', 'unverified']),
  }),
});

const groupSchema = z.strictObject({
  provider: z.string().regex(/^[a-z0-9-]+$/),
  /** Hosts, header names and names of SDKs that tell whose text it is. */
  hints: z.array(text(60)).max(16),
  entries: z.array(entrySchema).min(1).max(100),
});

/** One error that is known: what it looks like, what it means, who has to act, and what helps. */
export type KnownError = z.infer<typeof entrySchema>;

/** The known errors of one provider, or of what every provider shares (`network`, `http`, `onetake`). */
export type KnownErrors = z.infer<typeof groupSchema>;

/**
 * Reads one file of the catalogue. Throws where a field is missing, unknown or out of bounds, an id is not of the
 * group, or nothing says how an entry would be recognised.
 */
export function readKnownErrors(file: unknown): KnownErrors {
  const group = groupSchema.parse(file);
  for (const { id, match } of group.entries) {
    if (!id.startsWith(`${group.provider}/`)) throw new Error(`${id}: not an id of ${group.provider}`);
    if (match.codes.length + match.statuses.length + match.phrases.length === 0) {
      throw new Error(`${id}: has no code, status or phrase to be recognised by`);
    }
  }
  return group;
}
