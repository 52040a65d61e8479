import { isObject, type JsonObject } from '@onetake/core';
import { oneLine, priceText } from './text.ts';

type Unit = 'usd' | 'images';

/** What a key is held to, on a line: `app (sk-onetake-AbCd…), usable: $5.00/day, 60 requests/min, models image-*`. */
export function keyFacts(key: JsonObject): string {
  const {
    name,
    hint,
    status,
    budget,
    images,
    rpm,
    models,
    browser,
    expires_at: expiresAt,
    revoked_at: revokedAt,
  } = key;
  const facts = [
    key.admin === true ? 'administrates' : undefined,
    isObject(budget) ? `${priceText(numberAt(budget, 'usd'))}${perText(budget)}` : undefined,
    isObject(images) ? `${numberAt(images, 'count')} images${perText(images)}` : undefined,
    typeof rpm === 'number' ? `${rpm} requests/min` : undefined,
    Array.isArray(models) ? `models ${models.join(' ')}` : 'all models',
    key.allow_unknown_price === true ? 'unknown prices too' : undefined,
    isObject(browser) && Array.isArray(browser.origins) ? `pages of ${browser.origins.join(' ')}` : undefined,
    instantText('until', expiresAt),
    instantText('revoked', revokedAt),
  ].filter((fact) => fact !== undefined);
  return oneLine(`${name} (${hint}…), ${status}: ${facts.join(', ')}`, 2_000);
}

/** What is spent, held and left in each window that runs. */
export function windowLines(key: JsonObject): readonly string[] {
  return windowsOf(key).map((window) => {
    const amount = (field: string) => amountOf(window, field);
    const until = instantText('until', window.until) ?? 'without end';
    return `  ${String(window.name)}: ${amount('spent')} spent, ${amount('held')} held, ${amount('left')} left of ${amount('most')}, ${until}`;
  });
}

/** `$1.20 of $5.00/day`; the bound alone where nobody looked up what is spent, and `-` without one. */
export function amountText(key: JsonObject, unit: Unit): string {
  const bound = unit === 'usd' ? key.budget : key.images;
  if (!isObject(bound)) return '-';
  const most = unit === 'usd' ? priceText(numberAt(bound, 'usd')) : String(numberAt(bound, 'count'));
  const window = windowsOf(key).find((one) => one.unit === unit);
  if (window === undefined) return `${most}${perText(bound)}`;
  const held = numberAt(window, 'held') > 0 ? ` + ${amountOf(window, 'held')} held` : '';
  return `${amountOf(window, 'spent')}${held} of ${most}${perText(bound)}`;
}

function windowsOf({ windows }: JsonObject): readonly JsonObject[] {
  return Array.isArray(windows) ? windows.filter(isObject) : [];
}

function amountOf(window: JsonObject, field: string): string {
  const amount = numberAt(window, field);
  return window.unit === 'usd' ? priceText(amount) : String(amount);
}

function perText({ per }: JsonObject): string {
  return per === 'total' ? ' in total' : `/${String(per)}`;
}

function instantText(word: string, at: JsonObject[string] | undefined): string | undefined {
  return typeof at === 'number'
    ? `${word} ${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : undefined;
}

function numberAt(view: JsonObject, field: string): number {
  const value = view[field];
  return typeof value === 'number' ? value : 0;
}
