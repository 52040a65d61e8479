/**
 * What each provider answers to a key without billing it, where it has no list of models that wants one. Facts: the
 * providers' own references, and programs that call these addresses. Where a job that never was is asked for, only a
 * refusal of the key tells something.
 */
import { isObject, type JsonObject, type JsonValue } from '@onetake/core';

export interface FreeCall {
  /** From the provider's base URL. */
  readonly url: (baseUrl: string) => string;
  /** Only beside the list of models, for the balance. */
  readonly besidesList?: true;
  readonly balance?: (body: JsonValue | undefined) => Balance | undefined;
  /** Statuses other than 2xx that only a key that is known gets. */
  readonly acceptedStatuses?: readonly number[];
  /** Why the account cannot be used although the key is known; undefined where nothing says so. */
  readonly blocked?: (body: JsonValue | undefined) => string | undefined;
}

export interface Balance {
  readonly amount: number;
  readonly unit: 'credits' | 'USD' | 'tokens';
  /** Where little is left. */
  readonly lowBelow: number;
}

const NO_JOB = '00000000-0000-4000-8000-000000000000';

export const FREE_CALLS: Readonly<Record<string, FreeCall>> = {
  stability: { url: (base) => `${base}/v1/user/balance`, balance: credits('credits', 25) },
  bfl: { url: (base) => `${base.replace(/\/v1$/, '')}/v1/credits`, balance: credits('credits', 25) },
  recraft: { url: (base) => `${base}/users/me`, balance: credits('credits', 100) },
  luma: { url: (base) => `${base}/credits`, balance: (body) => inDollars(numberOf(body, 'credit_balance')) },
  leonardo: { url: (base) => `${base}/me`, besidesList: true, balance: leonardoTokens },
  replicate: { url: (base) => `${base}/account` },
  xai: { url: (base) => `${base}/api-key`, besidesList: true, blocked: xaiBlocked },
  azure: { url: (base) => `${new URL(base).origin}/openai/models?api-version=2024-10-21`, acceptedStatuses: [404] },
  evolink: { url: (base) => `${base}/tasks/${NO_JOB}`, acceptedStatuses: [400, 404] },
  foxapi: { url: (base) => `${base}/tasks/${NO_JOB}`, acceptedStatuses: [400, 404] },
  midjourney: { url: (base) => `${base}/task/${NO_JOB}/fetch`, acceptedStatuses: [200, 404] },
  fal: { url: (base) => `${base}/fal-ai/flux/requests/${NO_JOB}/status`, acceptedStatuses: [400, 404, 422] },
};

function credits(field: string, lowBelow: number): NonNullable<FreeCall['balance']> {
  return (body) => {
    const amount = numberOf(body, field);
    return amount === undefined ? undefined : { amount, unit: 'credits', lowBelow };
  };
}

/** Luma tells cents. */
function inDollars(cents: number | undefined): Balance | undefined {
  return cents === undefined ? undefined : { amount: cents / 100, unit: 'USD', lowBelow: 1 };
}

function leonardoTokens(body: JsonValue | undefined): Balance | undefined {
  const details = isObject(body) && Array.isArray(body.user_details) ? (body.user_details[0] as JsonValue) : undefined;
  const told = ['apiPaidTokens', 'apiSubscriptionTokens'].map((field) => numberOf(details, field));
  const known = told.filter((amount) => amount !== undefined);
  if (known.length === 0) return undefined;
  return { amount: known.reduce((sum, amount) => sum + amount, 0), unit: 'tokens', lowBelow: 100 };
}

const XAI_BLOCKS = {
  api_key_blocked: 'the key is blocked',
  api_key_disabled: 'the key is disabled',
  team_blocked: 'its team is blocked',
} as const;

function xaiBlocked(body: JsonValue | undefined): string | undefined {
  const told: JsonObject = isObject(body) ? body : {};
  const found = Object.entries(XAI_BLOCKS).filter(([field]) => told[field] === true);
  return found.length === 0 ? undefined : found.map(([, words]) => words).join(', ');
}

/** Numbers come as text from some. */
function numberOf(body: JsonValue | undefined, field: string): number | undefined {
  const value = isObject(body) ? body[field] : undefined;
  const amount = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof amount === 'number' && Number.isFinite(amount) ? amount : undefined;
}
