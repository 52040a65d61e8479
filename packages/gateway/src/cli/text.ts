import { styleText } from 'node:util';
import type { CliContext, Output } from './context.ts';

/** Lines of prose on a terminal, in characters. */
const [MIN_WIDTH, MAX_WIDTH] = [60, 100];

/** Rows as lines of aligned columns, three spaces apart; every line begins with `indent`. */
export function columns(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  const line = (row: readonly string[]) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('   ');
  return rows.map((row) => `${indent}${line(row)}`.trimEnd()).join('\n');
}

/** Bold on a terminal, plain everywhere else and where NO_COLOR is set. */
export function heading(text: string, output: Output, { env }: Pick<CliContext, 'env'>): string {
  return output.isTTY === true && !env.NO_COLOR ? styleText('bold', text, { validateStream: false }) : text;
}

/** `$0.04`; what nobody knows is `price unknown`, never 0. */
export function priceText(usd: number | undefined | null): string {
  if (typeof usd !== 'number') return 'price unknown';
  if (usd > 0 && usd < 0.00005) return 'under $0.0001';
  return `$${usd === 0 ? '0' : usd.toFixed(usd < 0.1 && usd * 100 !== Math.round(usd * 100) ? 4 : 2)}`;
}

export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} KB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

/** One line without control characters, so that a message from outside cannot move the cursor. */
export function oneLine(text: string, maxCharacters = 500): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
  return plain.length > maxCharacters ? `${plain.slice(0, maxCharacters - 1)}…` : plain;
}

/** `45 s`, `12 min`, `1 h 40 min`: as exact as anybody plans by. */
export function durationText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 60_000) return `${Math.ceil(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * Lines of up to `width` characters, the first begun by `first`, the others by `next`. Breaks at spaces; a word that is
 * longer than a line stays whole, so that it can be copied.
 */
export function wrapped(text: string, first: string, next: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of plain(text).split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

/** Without control characters: what a provider said cannot move the cursor. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}

/** How wide lines of prose are: as the terminal is, from 60 to 100 characters; 100 where there is none. */
export function widthOf(output: object): number {
  const known = 'columns' in output && typeof output.columns === 'number' ? output.columns : MAX_WIDTH;
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, known));
}
