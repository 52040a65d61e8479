import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { DoctorRequest, DoctorResponse } from './world.ts';

const MAX_BYTES = 1024 ** 2;

/** One exchange on a connection of its own; redirects are not followed, and what is beyond 1 MiB is left unread. */
export async function realFetch(
  { url, method = 'GET', headers = {}, body }: DoctorRequest,
  signal: AbortSignal,
): Promise<DoctorResponse> {
  const startedAt = performance.now();
  const sent = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, {
    ...{ method, signal, agent: false },
    headers: { 'user-agent': 'onetake-doctor', ...headers, connection: 'close', ...sent },
  });
  // The rejection below tells of it; this keeps a late abort from being an unhandled event.
  request.on('error', () => {});
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const firstByteMs = Math.round(performance.now() - startedAt);
  const { text, firstBodyAt } = await readStart(response);
  request.destroy();
  return {
    status: response.statusCode ?? 0,
    headers: flat(response.headers),
    ...{ text, firstByteMs, ms: Math.round(performance.now() - startedAt) },
    ...(firstBodyAt !== undefined && { firstBodyMs: Math.round(firstBodyAt - startedAt) }),
  };
}

async function readStart(response: IncomingMessage): Promise<{ text: string; firstBodyAt: number | undefined }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let firstBodyAt: number | undefined;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    firstBodyAt ??= performance.now();
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BYTES) break;
  }
  return { text: Buffer.concat(chunks).subarray(0, MAX_BYTES).toString('utf8'), firstBodyAt };
}

function flat(headers: IncomingMessage['headers']): Record<string, string> {
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return Object.fromEntries(pairs);
}
