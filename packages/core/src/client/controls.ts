import type { Failure } from '../failure.ts';
import { isObject, type JsonValue } from '../json.ts';
import type { PolicySettings } from '../model-names.ts';

type ReadControls =
  | { readonly ok: true; readonly settings: PolicySettings }
  | { readonly ok: false; readonly failure: Failure };

interface Control {
  readonly rule: string;
  /** What the value sets; undefined where it breaks the rule. */
  readonly read: (value: JsonValue) => PolicySettings | undefined;
}

const MAX_TIMEOUT_MS = 86_400_000;
const MAX_PAID_ATTEMPTS = 10;

/** The gateway's names for what a single request may set, as far as a library without callers has them. */
const CONTROLS: Readonly<Record<string, Control>> = {
  timeout_ms: {
    rule: `a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`,
    read: (value) => (isWhole(value, MAX_TIMEOUT_MS) ? { totalTimeoutMs: Number(value) } : undefined),
  },
  max_paid_attempts: {
    rule: `a whole number from 1 to ${MAX_PAID_ATTEMPTS}`,
    read: (value) => (isWhole(value, MAX_PAID_ATTEMPTS) ? { maxPaidAttempts: Number(value) } : undefined),
  },
  payment: {
    rule: 'strict, standard or available',
    read: (payment) =>
      payment === 'strict' || payment === 'standard' || payment === 'available' ? { payment } : undefined,
  },
  fallback: {
    rule: 'on or off',
    read: (value) => (value === 'on' || value === 'off' ? { fallback: value === 'on' } : undefined),
  },
};

/**
 * Reads the `onetake` member of a body, or the headers of the same names. A name nobody knows is an error, because a typo
 * in it could cost money. `nameOf`: what the caller wrote for a control.
 */
export function readControls(
  body: JsonValue | undefined,
  nameOf = (control: string) => `onetake.${control}`,
): ReadControls {
  if (body === undefined || body === null) return { ok: true, settings: {} };
  if (!isObject(body))
    return refusedControl('onetake', 'it is not an object; write {"payment": "strict"} or leave it out');
  let settings: PolicySettings = {};
  for (const [name, value] of Object.entries(body)) {
    const control = Object.hasOwn(CONTROLS, name) ? CONTROLS[name] : undefined;
    const known = Object.keys(CONTROLS).map(nameOf).join(', ');
    if (control === undefined)
      return refusedControl(nameOf(name.slice(0, 64)), `nothing of this name can be set here; there are ${known}`);
    const set = control.read(value ?? null);
    if (set === undefined) return refusedControl(nameOf(name), `it is not ${control.rule}; change it or leave it out`);
    settings = { ...settings, ...set };
  }
  return { ok: true, settings };
}

function refusedControl(param: string, why: string): ReadControls {
  const failure = { kind: 'invalid', certainty: 'not_sent', message: `${param}: ${why}`, param } as const;
  return { ok: false, failure: { ...failure, code: 'invalid_value' } };
}

function isWhole(value: JsonValue, max: number): boolean {
  const number = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= max;
}
