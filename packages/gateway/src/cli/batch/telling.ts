import { columns, count, durationText, oneLine, priceText } from '../text.ts';
import type { Estimate, ModelEstimate } from './estimate.ts';
import type { LineProblem } from './line.ts';
import type { Rate } from './model-facts.ts';
import type { Report } from './report.ts';

/** A line that cannot work. */
export interface BadLine {
  readonly line: number;
  readonly problem: LineProblem;
}

const MAX_TOLD = 20;

/** What `--dry-run` prints. */
export function estimateText(estimate: Estimate, bad: readonly BadLine[]): string {
  const { lines, pictures, models } = estimate;
  const facts = [
    ['work', `${count(lines, 'line')}, ${count(pictures, 'picture')}`],
    ['price', rangeText(estimate)],
    ['time', timeText(estimate)],
    ...models.slice(0, MAX_TOLD).map((one) => ['model', modelText(one, models.length > 1)]),
  ];
  return `${columns(facts)}\n${badText(bad)}`;
}

/** The lines that cannot work, and why; empty when there are none. */
export function badText(bad: readonly BadLine[]): string {
  if (bad.length === 0) return '';
  const told = bad.slice(0, MAX_TOLD).map(({ line, problem }) => `  line ${line}: ${oneLine(problem.message)}\n`);
  const more = bad.length > MAX_TOLD ? `  and ${bad.length - MAX_TOLD} more; --json lists all\n` : '';
  return `${count(bad.length, 'line')} cannot work:\n${told.join('')}${more}`;
}

/** What a finished session prints; `directory` as the person wrote it. */
export function reportText(report: Report, directory: string): string {
  const { lines, codes } = report;
  const reasons = Object.entries(codes).map(([code, amount]) => `${code} ${amount}`);
  const left = lines.pending + lines.sent + lines.accepted;
  const facts = [
    ['lines', `${lines.done} of ${lines.total} done, ${lines.failed} failed, ${lines.unknown} unknown, ${left} left`],
    ['pictures', `${report.pictures}${report.missing_pictures > 0 ? `, ${report.missing_pictures} missing` : ''}`],
    ['spent', spentText(report)],
    ['failed', reasons.join(', ')],
    ['report', `${directory}/report.json${reasons.length > 0 ? `, ${directory}/failed.jsonl` : ''}`],
  ].filter(([, value]) => value !== '');
  const next = nextText(report, left, directory);
  return `${columns(facts)}\n${next === '' ? '' : `${next}\n`}`;
}

function nextText(
  { ended_by: endedBy, max_cost_usd: cap, lines, codes }: Report,
  left: number,
  directory: string,
): string {
  const resume = `onetake batch resume ${directory}`;
  if (endedBy === 'cap') return `the cap of ${priceText(cap)} is reached; to go on: ${resume} --max-cost <more>`;
  if (left > 0) return `to go on: ${resume}`;
  if (lines.failed === 0) return '';
  return `to repeat some: onetake batch retry ${directory} --only ${Object.keys(codes)[0]}`;
}

function spentText({ spent_usd: spent, possible_usd: possible, unpriced_charges: unpriced }: Report): string {
  const more = possible > 0 ? `, possibly ${priceText(possible)} more` : '';
  return `${priceText(spent)}${more}${unpriced > 0 ? `, and ${count(unpriced, 'charge')} of unknown price` : ''}`;
}

function rangeText({ price_usd: price, models }: Estimate): string {
  if (price !== null)
    return price.low === price.high ? priceText(price.low) : `${priceText(price.low)}–${priceText(price.high)}`;
  const tokens = models.find((one) => one.price.kind === 'tokens');
  return tokens ? `unknown: ${tokens.model} is billed by the tokens its answers report` : 'unknown';
}

function timeText({ time_ms: time, models }: Estimate): string {
  if (time === null) return 'unknown: no limit is known here, the provider’s decides';
  const partly = models.some((one) => one.time_ms === null) ? 'at least ' : '';
  return `${partly}about ${durationText(time)} at the limits known now`;
}

function eachText(price: ModelEstimate['price']): string {
  if (price.kind === 'per-image') return `${priceText(price.highUsd)} a picture`;
  if (price.kind === 'per-megapixel') return `${priceText(price.highUsd)} a megapixel`;
  return `price ${price.kind === 'tokens' ? 'by tokens' : 'unknown'}`;
}

function modelText({ model, lines, price, limits }: ModelEstimate, several: boolean): string {
  const each = eachText(price);
  const rates = [...limits.images.map(rateText('picture')), ...limits.requests.map(rateText('request'))];
  const most = limits.concurrency === undefined ? [] : [`${limits.concurrency} at once`];
  return [`${model}${several ? ` (${count(lines, 'line')})` : ''}`, each, ...rates, ...most].join(', ');
}

function rateText(noun: string): (rate: Rate) => string {
  return ({ count: amount, windowMs }) => `${count(amount, noun)} in ${durationText(windowMs)}`;
}
