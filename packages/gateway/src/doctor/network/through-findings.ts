import { isObject, parseJson } from '@onetake/core';
import type { Finding } from '../check.ts';
import type { DoctorResponse } from '../world.ts';
import { type Hop, hopOf, hopsThatCutAt, isOurs } from './hops.ts';

/** How one request that was sent through ended, and after what time. */
export interface Passage {
  readonly answer:
    | { readonly ok: true; readonly value: DoctorResponse }
    | { readonly ok: false; readonly code: string };
  readonly ms: number;
}

/** The gateway breaks its silence every 15 s. */
const FIRST_COMMENT_MS = 15_000;
const BUFFERED_AFTER_MS = FIRST_COMMENT_MS + 7_000;
const COMPLETED = /"type"\s*:\s*"image_generation\.completed"|^event: image_generation\.completed/m;

/** What became of a long request that was sent whole and answered whole. */
export function plainFinding(subject: string, passage: Passage, throughMs: number): Finding {
  const { answer, ms } = passage;
  if (!answer.ok || !isOurs(answer.value)) return cut(subject, passage, throughMs, 'through.cut', 'request');
  if (answer.value.status !== 200) return ownAnswer(subject, answer.value, ms);
  return {
    id: 'through.ok',
    level: 'ok',
    subject,
    message: `a request of ${seconds(throughMs)} came back whole after ${seconds(ms)}${passing(answer.value)}`,
    facts: { ms },
  };
}

/** What became of the same as a stream, with a comment every 15 s. */
export function streamFinding(subject: string, passage: Passage, throughMs: number): Finding {
  const { answer, ms } = passage;
  if (!answer.ok || !isOurs(answer.value)) return cut(subject, passage, throughMs, 'through.stream-cut', 'stream');
  const { status, text, firstByteMs, firstBodyMs = firstByteMs } = answer.value;
  if (status !== 200) return ownAnswer(subject, answer.value, ms);
  if (!COMPLETED.test(text)) {
    const told = /^event: error\ndata: (.*)$/m.exec(text)?.[1];
    if (told === undefined) return cut(subject, passage, throughMs, 'through.stream-cut', 'stream');
    return ownAnswer(subject, { ...answer.value, text: told }, ms);
  }
  if (throughMs > BUFFERED_AFTER_MS && firstBodyMs > BUFFERED_AFTER_MS)
    return {
      id: 'through.stream-buffered',
      level: 'warning',
      subject,
      message: `a stream came whole, and its first comment, sent after 15 s, arrived after ${seconds(firstBodyMs)}: something keeps it back`,
      advice: `${hopName(answer.value)} buffers: turn that off for this gateway (nginx proxy_buffering off, Cloudflare and others: no transformation of text/event-stream), or streams show nothing until they end.`,
      fix: 'proxy_buffering off;',
      facts: { firstBodyMs, ms },
    };
  return {
    id: 'through.stream-ok',
    level: 'ok',
    subject,
    message: `a stream of ${seconds(throughMs)} came whole, its first bytes after ${seconds(firstBodyMs)}${passing(answer.value)}`,
    facts: { firstBodyMs, ms },
  };
}

/** Our own word: it got here, so nothing in front is to blame. */
function ownAnswer(subject: string, answer: DoctorResponse, ms: number): Finding {
  const { code, message } = errorIn(answer);
  const base = {
    subject,
    message: `the gateway itself answered ${answer.status === 200 ? 'the stream with' : answer.status} ${code} after ${seconds(ms)}`,
  } as const;
  if (code === 'invalid_api_key')
    return {
      ...base,
      id: 'through.wants-key',
      level: 'warning',
      advice: 'Set ONETAKE_API_KEY to a key of that gateway and run this again.',
      fix: 'export ONETAKE_API_KEY=…',
    };
  if (code === 'model_not_found')
    return {
      ...base,
      id: 'through.no-sandbox',
      level: 'skipped',
      message: `${base.message}: its sandbox is off or not for this key, so no long job can be sent for nothing`,
    };
  return {
    ...base,
    id: 'through.own-answer',
    level: 'warning',
    message: `${base.message}: ${message}`,
    advice: 'The request arrived, so look at the gateway and not at what stands in front; onetake explain tells more.',
  };
}

function cut(
  subject: string,
  { answer, ms }: Passage,
  throughMs: number,
  id: string,
  what: 'request' | 'stream',
): Finding {
  const hop = answer.ok ? hopOf(answer.value) : undefined;
  const suspects = hop ? [hop] : hopsThatCutAt(ms);
  const who =
    hop?.name ?? (suspects.length > 0 ? `something, by the time ${namesOf(suspects)},` : 'something on the way');
  return {
    id,
    level: 'broken',
    subject,
    message: `${who} cut a ${what} of ${seconds(throughMs)} after ${seconds(ms)}: ${howItEnded(answer)}`,
    advice: suspects.map(({ mend }) => mend).join(' ') || usual(ms),
    ...(suspects[0]?.fix !== undefined && { fix: suspects[0].fix }),
    facts: { ms, ...(hop && { hop: hop.name }) },
  };
}

function howItEnded(answer: Passage['answer']): string {
  if (!answer.ok)
    return answer.code === 'TIMEOUT' ? 'nothing came back at all' : `the connection was closed (${answer.code})`;
  const { status } = answer.value;
  return status === 200 ? 'it ended in the middle' : `it answered ${status} in the gateway’s place`;
}

function usual(ms: number): string {
  return `Look in every proxy and load balancer on the way for a timeout of about ${seconds(ms)} and raise it to 900 s; usually it is for reading from the server, or for an idle connection.`;
}

function namesOf(hops: readonly Hop[]): string {
  return `perhaps ${hops.map(({ name }) => name).join(' or ')}`;
}

/** What became of a large body. */
export function bodyFinding(subject: string, { answer, ms }: Passage, bytes: number): Finding {
  const size = `${Math.round(bytes / 1024 ** 2)} MB`;
  if (answer.ok && isOurs(answer.value)) {
    const { code } = errorIn(answer.value);
    const own = answer.value.status === 413 ? ', and body_limit_bytes refuses it there' : '';
    return {
      id: 'through.body-ok',
      level: 'ok',
      subject,
      message: `a body of ${size} reaches the gateway${own} (${answer.value.status} ${code}, ${seconds(ms)})`,
    };
  }
  const hop = answer.ok ? hopOf(answer.value) : undefined;
  const isLimit = answer.ok && answer.value.status === 413;
  const isSlow = answer.ok && answer.value.status >= 500;
  const who = hop?.name ?? 'something on the way';
  const ended = answer.ok ? `answered ${answer.value.status}` : `ended it (${answer.code})`;
  return {
    id: isLimit ? 'through.body-limit' : 'through.body-cut',
    level: 'warning',
    subject,
    message: `a body of ${size} does not reach the gateway: ${who} ${ended} after ${seconds(ms)}`,
    // A 5xx is no limit on bodies: somebody gave up on the way.
    advice: `Edits with large pictures fail so. ${isSlow ? `${usual(ms)} It may also be a limit on bodies.` : (hop?.bodyMend ?? 'Look for a limit on bodies in every proxy on the way, and raise it to 64 MB; nginx has 1 MB usually (client_max_body_size).')}`,
    ...(!isSlow && { fix: 'client_max_body_size 64m;' }),
  };
}

function passing(answer: DoctorResponse): string {
  const hop = hopOf({ headers: answer.headers, text: '' });
  return hop === undefined ? '' : `, through ${hop.name}`;
}

function hopName(answer: DoctorResponse): string {
  return hopOf({ headers: answer.headers, text: '' })?.name ?? 'Something on the way';
}

function errorIn({ text }: DoctorResponse): { readonly code: string; readonly message: string } {
  const body = parseJson(text);
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  const word = (value: unknown) => (typeof value === 'string' ? value.replaceAll(/\s+/g, ' ').slice(0, 300) : '');
  return { code: word(error.code), message: word(error.message) };
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}
