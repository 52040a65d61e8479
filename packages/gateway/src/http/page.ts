import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { type Encoding, PAGE_DIRECTORY, type PageFile, type PageFiles, readPageFiles } from './page-files.ts';
import { RequestProblem } from './problem.ts';

export interface PageDeps {
  readonly config: Pick<Config, 'publicUrl'>;
  readonly log: Pick<Logger, 'warn'>;
  /** What `GET /` tells programs. */
  readonly welcome: () => object;
  /** Default: where the build puts it. */
  readonly directory?: string;
}

/** Needs no key: the page holds nothing of anybody's, and what it asks for needs one. */
const OPEN = { config: { open: true } };
const YEAR_SECONDS = 31_536_000;
const NOT_BUILT = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Onetake</title></head>
<body>
<h1>Onetake is running</h1>
<p>Its page was not built. In a clone, <code>npm run build</code> builds it, and <code>npm start</code> does when it starts;
then start the gateway again.</p>
<p>The API needs no page: <a href="/health/ready">/health/ready</a> says how it is, and
<code>curl</code> on this address lists the endpoints.</p>
</body>
</html>
`;

/** `GET /`, the page for who reads HTML and the list of endpoints for others, and the files of the page. */
export function addPage(app: FastifyInstance, deps: PageDeps): void {
  const files = readFiles(deps);
  const headers = pageHeaders(deps.config.publicUrl);
  app.get('/', OPEN, async (request, reply) => {
    reply.headers(headers);
    varyBy(reply, 'Accept');
    if (!readsHtml(request)) return deps.welcome();
    const index = files?.get('index.html');
    if (index) return sendFile(index, request, reply);
    return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(NOT_BUILT);
  });
  app.get<{ Params: { '*': string } }>('/page/*', OPEN, async (request, reply) => {
    const file = files?.get(request.params['*']);
    if (file === undefined) throw noFile();
    reply.headers(headers);
    return sendFile(file, request, reply);
  });
}

/** A directory that holds something else is no reason not to make pictures. */
function readFiles({ directory = fileURLToPath(PAGE_DIRECTORY), log }: PageDeps): PageFiles | undefined {
  try {
    return readPageFiles(directory);
  } catch (err) {
    log.warn({ err }, 'the page cannot be read and is not served');
    return undefined;
  }
}

async function sendFile(file: PageFile, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const encoding = file.isText ? encodingFor(request.headers['accept-encoding']) : 'identity';
  const etag = `"${file.hash}${encoding === 'identity' ? '' : `-${encoding}`}"`;
  if (file.isText) varyBy(reply, 'Accept-Encoding');
  reply
    .header('etag', etag)
    .header('cache-control', file.isImmutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
  if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.type(file.type).send(await file.bytes(encoding));
}

/**
 * Nothing from elsewhere runs or is asked, nothing inline runs, and nobody frames the page. Links to pictures begin with
 * the public URL, also where the page is read on another name.
 */
function pageHeaders(publicUrl: string | undefined): Readonly<Record<string, string>> {
  const pictures = publicUrl === undefined ? '' : ` ${new URL(publicUrl).origin}`;
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src 'self' data: blob:${pictures}`,
    ...["connect-src 'self'", "font-src 'self'", "manifest-src 'self'"],
    ...["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"],
  ];
  return {
    'content-security-policy': policy.join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}

function readsHtml({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').split(',').some((range) => /^\s*text\/html\s*(;|$)/i.test(range));
}

/** Brotli before gzip, whatever a client likes better; `;q=0` refuses one. */
function encodingFor(accepted: FastifyRequest['headers'][string] = ''): Encoding {
  const offered = String(accepted)
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
    .map((part) => part.split(';', 1)[0]?.trim());
  return (['br', 'gzip'] as const).find((encoding) => offered.includes(encoding)) ?? 'identity';
}

function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** Beside what CORS has put there. */
function varyBy(reply: FastifyReply, name: string): void {
  const known = reply.getHeader('vary');
  reply.header('vary', known === undefined ? name : `${String(known)}, ${name}`);
}

function noFile(): RequestProblem {
  return new RequestProblem(
    404,
    'not_found',
    'the page has no such file; GET / with Accept: text/html is its beginning',
  );
}
