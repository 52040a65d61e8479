import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Empty when the text is no JSON object. */
  readonly body: AnswerBody;
}

/** The parts of an answer that tests look at; each is there only where the contract says so. */
export interface AnswerBody {
  readonly data?: readonly {
    readonly b64_json?: string;
    readonly url?: string;
    readonly id?: string;
    readonly [field: string]: unknown;
  }[];
  readonly error?: { readonly message: string; readonly type: string; readonly code: string; readonly param?: string };
  readonly onetake?: {
    readonly generation?: string;
    readonly billed?: string;
    readonly advice?: string;
    readonly missing?: readonly { readonly code: string; readonly message: string }[];
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: object | string;
  /** Hangs up after this long, as `curl --max-time` does. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;
const MAX_RAW_BYTES = 1024 * 1024;

/** One exchange on a connection of its own, as curl makes it. Rejects when no whole answer came. */
export async function call(url: string, options: CallOptions = {}): Promise<Answer> {
  const { body, headers = {}, timeoutMs = TIMEOUT_MS } = options;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const outgoing = request(url, {
    method: options.method ?? (text === undefined ? 'GET' : 'POST'),
    headers: { connection: 'close', ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
  });
  outgoing.on('error', () => undefined);
  outgoing.end(text);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  const answer = Buffer.concat(chunks).toString('utf8');
  return { status: response.statusCode ?? 0, headers: response.headers, text: answer, body: parse(answer) };
}

/** Asks a gateway for a small picture. */
export function generate(gatewayUrl: string, fields: object, options: CallOptions = {}): Promise<Answer> {
  const body = { size: '64x48', ...fields };
  return call(`${gatewayUrl}/v1/images/generations`, { ...options, body });
}

/** Writes bytes that no HTTP client would, and reads until the other end closes or the answer is whole. */
export async function sendRaw(url: string, bytes: string | Buffer, timeoutMs = TIMEOUT_MS): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const timer = setTimeout(() => socket.destroy(new Error(`no whole answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    // A server may answer and reset while we still send; what it said before counts.
    socket.on('error', () => undefined).write(bytes);
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      if (received.length > MAX_RAW_BYTES) throw new Error('the answer is larger than any error can be');
      const answer = parseAnswer(received.toString('utf8'));
      if (answer) return answer;
    }
    throw new Error(`the connection closed after ${received.length} bytes without a whole answer`);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function parseAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = text.slice(end + 4);
  if (Buffer.byteLength(body) < Number(headers['content-length'] ?? 0)) return undefined;
  return { status: Number(statusLine.split(' ')[1]), headers, text: body, body: parse(body) };
}

function parse(text: string): AnswerBody {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
