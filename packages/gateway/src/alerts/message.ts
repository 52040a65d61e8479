import type { JsonObject } from '@onetake/core';
import { amountText, durationText } from './amounts.ts';
import { RULES, type Rule } from './rules.ts';
import type { AlertChange, AlertMessage } from './state.ts';

const WORDS: Readonly<Record<AlertChange, string>> = {
  fired: 'Alert',
  raised: 'Worse',
  reminder: 'Still',
  recovered: 'Recovered',
};

/** What a channel is told: the same for each kind, which writes it in its own way. */
export interface Note {
  /** Unique; how a receiver knows a repeat. */
  readonly id: string;
  /** `alert.fired`, `alert.raised`, `alert.reminder`, `alert.recovered` or `alert.test`. */
  readonly type: string;
  /** Epoch ms. */
  readonly at: number;
  /** The first is the headline. */
  readonly lines: readonly [string, ...string[]];
  readonly data: JsonObject;
}

/** A message in words: what, its value against the threshold, since when, what to do, and where to look. */
export function noteOf({ change, row, at }: AlertMessage, pageUrl: string | undefined): Note {
  const { rule, subject, severity, since, value, threshold, message } = row;
  const { unit, advice, is }: Rule = RULES[rule];
  const lasted = durationText(Math.max(0, at - since));
  const isOver = change !== 'recovered';
  const grave = isOver ? ` (${severity})` : '';
  const against = `${rule} is ${amountText(value, unit)}, the threshold is ${amountText(threshold, unit)}`;
  const about = subject === '' ? rule : `${rule} of ${subject}`;
  const headline = isOver ? message : `${about} is well again after ${lasted}`;
  return {
    id: `alert_${rule}_${at}_${change}_${hashOf(subject)}`,
    type: `alert.${change}`,
    at,
    lines: [
      `${WORDS[change]}${grave}: ${headline}`,
      ...(isOver
        ? [
            `${against}${is === 'below' ? ' or less' : ''}; since ${new Date(since).toISOString()}${at > since ? ` (${lasted})` : ''}`,
            `What to do: ${advice}`,
          ]
        : [`It last said: ${message}`]),
      ...linkLines(pageUrl),
    ],
    data: {
      ...{ change, rule, subject, severity, since, value, threshold, unit, message, advice },
      url: pageUrl ?? null,
    },
  };
}

/** What `onetake alerts test` sends. */
export function testNote(channel: string, at: number, pageUrl: string | undefined): Note {
  const message = `a test of the channel ${channel}; alerts will arrive like this one`;
  return {
    id: `alert_test_${at}`,
    type: 'alert.test',
    at,
    lines: [`Test: ${message}`, ...linkLines(pageUrl)],
    data: { change: 'test', channel, message, url: pageUrl ?? null },
  };
}

function linkLines(pageUrl: string | undefined): readonly string[] {
  return pageUrl === undefined ? [] : [pageUrl];
}

/** Subjects have any characters, and ids stand in headers. */
function hashOf(text: string): string {
  let hash = 0;
  for (const character of text) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return (hash >>> 0).toString(16);
}
