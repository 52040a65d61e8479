import { isPublicAddress } from '@onetake/core';

/** Every event a task's webhook can be sent, in the order they happen. */
export const WEBHOOK_EVENTS = [
  'task.processing',
  'task.progress',
  'task.completed',
  'task.failed',
  'task.canceled',
] as const;

export type WebhookEventType = (typeof WEBHOOK_EVENTS)[number];

/** What is sent unless told otherwise: the task's end, whichever it is. */
export const FINAL_EVENTS: readonly WebhookEventType[] = ['task.completed', 'task.failed', 'task.canceled'];

export const MAX_ENDPOINT_CHARS = 2_048;

export type ReadEndpoint =
  | { readonly ok: true; readonly url: string }
  | {
      readonly ok: false;
      readonly expected: string;
      readonly advice: string;
      /** The text may hold a password and is not to be shown. */
      readonly hidden: boolean;
    };

/**
 * Holds a webhook's address to the rules and returns it as it is kept, without a fragment. Only what the text itself
 * shows is judged; a name that leads to a private address is refused when it is connected to.
 */
export function readEndpoint(text: string, allowPrivate: boolean): ReadEndpoint {
  const refused = (expected: string, advice: string) => ({ ok: false, expected, advice, hidden: false }) as const;
  const tooLong = refused(`a URL of at most ${MAX_ENDPOINT_CHARS} characters`, 'give a shorter one');
  if (text.length > MAX_ENDPOINT_CHARS) return tooLong;
  const url = URL.parse(text);
  if (url !== null && (url.username !== '' || url.password !== '')) {
    const advice = 'leave them out: deliveries are signed, so the receiver needs no password to know them';
    return { ...refused('a URL without a user name or password', advice), hidden: true };
  }
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return refused('an absolute http or https URL', 'give one such as https://app.example/hooks');
  }
  if (!allowPrivate && isPrivateLiteral(url.hostname)) {
    const advice = 'give a public host, or have webhooks.allow_private switched on in onetake.yaml';
    return refused('a URL on the public internet', advice);
  }
  url.hash = '';
  return url.href.length > MAX_ENDPOINT_CHARS ? tooLong : { ok: true, url: url.href };
}

/** A private IP in any of its spellings, which URL parsing has made one, or a name that RFC 6761 keeps for loopback. */
function isPrivateLiteral(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (/(?:^|\.)localhost$/.test(host)) return true;
  const isIp = host.includes(':') || /^\d+(?:\.\d+){3}$/.test(host);
  return isIp && !isPublicAddress(host);
}
