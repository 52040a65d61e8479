import { type Amount, PERIODS, type Period, type WantedKey } from '../../api/keys.ts';

/** What stands in the form, as it was typed. */
export interface Draft {
  readonly name: string;
  readonly usd: string;
  readonly usdPer: Period;
  readonly images: string;
  readonly imagesPer: Period;
  readonly rpm: string;
  readonly models: string;
  readonly expires: Expiry;
  readonly use: 'server' | 'admin' | 'browser';
  readonly origins: string;
  readonly allowUnknownPrice: boolean;
}

const HOUR_MS = 3_600_000;

/** How long keys may be good for; those of pages for a day at most. */
export const EXPIRIES = {
  never: { words: 'never', ms: undefined, isForBrowsers: false },
  hour: { words: 'in an hour', ms: HOUR_MS, isForBrowsers: true },
  day: { words: 'in a day', ms: 24 * HOUR_MS, isForBrowsers: true },
  week: { words: 'in a week', ms: 7 * 24 * HOUR_MS, isForBrowsers: false },
  month: { words: 'in 30 days', ms: 30 * 24 * HOUR_MS, isForBrowsers: false },
  quarter: { words: 'in 90 days', ms: 90 * 24 * HOUR_MS, isForBrowsers: false },
  year: { words: 'in a year', ms: 365 * 24 * HOUR_MS, isForBrowsers: false },
} as const;
export type Expiry = keyof typeof EXPIRIES;

export const EMPTY_DRAFT: Draft = {
  ...{ name: '', usd: '', usdPer: 'day', images: '', imagesPer: 'day', rpm: '', models: '', origins: '' },
  ...{ expires: 'never', use: 'server', allowUnknownPrice: false },
};

export function periodOf(text: string): Period {
  return PERIODS.find((one) => one === text) ?? 'day';
}

export function expiriesFor(use: Draft['use']): readonly Expiry[] {
  const all = Object.keys(EXPIRIES) as Expiry[];
  return use === 'browser' ? all.filter((one) => EXPIRIES[one].isForBrowsers) : all;
}

/** The body of `POST /v1/keys`: what was left empty is left out. Numbers are judged by the gateway, which says what is wrong. */
export function wantedOf(draft: Draft): WantedKey {
  const { name, usd, usdPer, images, imagesPer, rpm, use } = draft;
  const models = listOf(draft.models);
  const expiry = expiriesFor(use).includes(draft.expires) ? draft.expires : 'hour';
  const { ms } = EXPIRIES[expiry];
  return {
    name: name.trim(),
    ...(usd.trim() !== '' && { budget: { usd: amountOf(usd), per: usdPer } }),
    ...(images.trim() !== '' && { images: { count: amountOf(images), per: imagesPer } }),
    ...(rpm.trim() !== '' && { rpm: amountOf(rpm) }),
    ...(models.length > 0 && { models }),
    ...(ms !== undefined && { expires_in_ms: ms }),
    ...(draft.allowUnknownPrice && usd.trim() !== '' && { allow_unknown_price: true }),
    ...(use === 'admin' && { admin: true }),
    ...(use === 'browser' && { browser: { origins: listOf(draft.origins) } }),
  };
}

/** What is no number goes as it is, so that the gateway refuses it, and not as nothing, which it would take for no limit. */
function amountOf(text: string): Amount {
  const amount = Number(text);
  return Number.isFinite(amount) ? amount : text;
}

/** One a line, or with commas or spaces between. */
function listOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((one) => one !== '');
}

/** The field of the form that a refusal is about; undefined where it is about none of them. */
export function fieldAt(param: string | undefined): keyof Draft | undefined {
  const [first = ''] = param?.split('.') ?? [];
  const fields: Readonly<Record<string, keyof Draft>> = {
    ...{ name: 'name', budget: 'usd', images: 'images', rpm: 'rpm', models: 'models' },
    ...{ expires_in_ms: 'expires', browser: 'origins', admin: 'use' },
  };
  return fields[first];
}
