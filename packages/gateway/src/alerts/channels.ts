import type { Io, JsonObject } from '@onetake/core';
import type { AlertChannel } from '../config/alerts.ts';
import { post, postPlain, type Tried } from '../webhooks/post.ts';
import type { Note } from './message.ts';

/** Discord takes so many characters. */
const MAX_DISCORD_CHARS = 2_000;
const TIMEOUT_MS = 10_000;

/**
 * Sends one note to one channel, once. Never rejects, and what it resolves with has nothing of the address in it. The
 * address is the operator's own word, so it may be of a private network.
 */
export async function sendNote(channel: AlertChannel, note: Note, io: Io): Promise<Tried> {
  const options = { io, url: channel.url, reach: 'configured', timeoutMs: TIMEOUT_MS } as const;
  const { kind, secret } = channel;
  if (kind === 'webhook' && secret !== undefined)
    return post({ id: note.id, body: webhookBody(note), secret }, options);
  return postPlain(kind === 'slack' ? slackBody(note) : discordBody(note), options);
}

/** An incoming webhook of Slack: `{text}` in its markup, where three characters are special. */
function slackBody({ lines: [headline, ...rest] }: Note): JsonObject {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return { text: [`*${escaped(headline).replaceAll('*', '')}*`, ...rest.map(escaped)].join('\n') };
}

/** A webhook of Discord; nobody is mentioned, whatever a message says. */
function discordBody({ lines: [headline, ...rest] }: Note): JsonObject {
  const text = [`**${headline.replaceAll('*', '')}**`, ...rest].join('\n');
  return { content: text.slice(0, MAX_DISCORD_CHARS), allowed_mentions: { parse: [] } };
}

function webhookBody({ type, at, data }: Note): JsonObject {
  return { type, timestamp: new Date(at).toISOString(), data };
}

/** Whether the channel took it; 2xx as everywhere. */
export function isTaken(tried: Tried): boolean {
  return tried.kind === 'answered' && tried.status >= 200 && tried.status < 300;
}

/** Whether it may do better later: not what an address that is wrong, or gone, says. */
export function mayImprove(tried: Tried): boolean {
  if (tried.kind === 'unanswered') return !tried.hopeless;
  return tried.status >= 500 || tried.status === 408 || tried.status === 429;
}

/** How a try ended, in words without the address. */
export function reasonOf(tried: Tried): string {
  if (tried.kind === 'unanswered') return tried.reason;
  const isRedirect = tried.status >= 300 && tried.status < 400;
  return `status ${tried.status}${isRedirect ? ': redirects are not followed' : ''}`;
}
