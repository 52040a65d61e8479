import { type JsonValue, nearMatches } from '@onetake/core';
import { invalidValue, type RequestProblem } from '../http/problem.ts';
import type { Webhook } from '../store/store.ts';
import { FINAL_EVENTS, readEndpoint, WEBHOOK_EVENTS, type WebhookEventType } from './endpoint.ts';

/** A value of a request and the header or field it stood in, which errors name. */
export interface AskedValue {
  readonly value: JsonValue;
  readonly param: string;
}

/** What a request says about its webhook. */
export interface AskedWebhook {
  /** A URL, or `off` for none even where one is configured. */
  readonly url?: AskedValue;
  /** A list of event types, or one text with commas. */
  readonly events?: AskedValue;
}

export interface WebhookRules {
  /** What is configured for this caller. */
  readonly configured?: Partial<Webhook> | undefined;
  readonly allowPrivate: boolean;
}

const MAX_SHOWN_CHARS = 100;

/**
 * Where a task's events go: as the request says, else as is configured for its caller, else nowhere. Without a list of
 * events the three final ones are sent. Throws a `RequestProblem` (400).
 */
export function readWebhook(asked: AskedWebhook, { configured, allowPrivate }: WebhookRules): Webhook | undefined {
  const url = asked.url === undefined ? configured?.url : readUrl(asked.url, allowPrivate);
  const events = asked.events === undefined ? configured?.events : readEvents(asked.events);
  if (url !== undefined) return { url, events: events ?? FINAL_EVENTS };
  if (asked.events !== undefined && asked.url === undefined) {
    throw invalid(
      asked.events,
      'there is no webhook to send them to; add a webhook_url, or have one configured for this key',
    );
  }
  return undefined;
}

function readUrl(asked: AskedValue, allowPrivate: boolean): string | undefined {
  const { value } = asked;
  if (value === 'off') return undefined;
  if (typeof value !== 'string') {
    throw invalid(
      asked,
      `${shown(value)} is not a URL as a text; give one such as https://app.example/hooks, or "off"`,
    );
  }
  const read = readEndpoint(value, allowPrivate);
  if (read.ok) return read.url;
  throw invalid(asked, `${read.hidden ? 'what was given' : shown(value)} is not ${read.expected}; ${read.advice}`);
}

function readEvents(asked: AskedValue): readonly WebhookEventType[] {
  const { value } = asked;
  const names = typeof value === 'string' ? value.split(',').map((name) => name.trim()) : value;
  const rule = `one or more of ${WEBHOOK_EVENTS.join(', ')}`;
  if (!Array.isArray(names) || names.length === 0) {
    throw invalid(asked, `${shown(value)} is not ${rule}; change it or leave it out`);
  }
  const wrong: JsonValue | undefined = names.find((name) => !isEventType(name));
  if (wrong !== undefined) {
    const near = typeof wrong === 'string' ? nearMatches(wrong, WEBHOOK_EVENTS) : [];
    const wayOut = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'change it or leave it out';
    throw invalid(asked, `${shown(wrong)} is not ${rule}; ${wayOut}`);
  }
  return WEBHOOK_EVENTS.filter((event) => names.includes(event));
}

function isEventType(name: JsonValue): name is WebhookEventType {
  return WEBHOOK_EVENTS.some((event) => event === name);
}

function shown(value: JsonValue): string {
  if (typeof value !== 'string') return Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value;
  return value.length > MAX_SHOWN_CHARS ? `a text of ${value.length} characters` : JSON.stringify(value);
}

function invalid({ param }: AskedValue, why: string): RequestProblem {
  return invalidValue(param, why);
}
