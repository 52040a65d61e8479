import type { IncomingMessage, ServerResponse } from 'node:http';
import { isForm, keptPrompt, UNREADABLE } from '../accept.ts';
import type { TaskContext } from '../tasks/submit.ts';
import { type Reason, type Refusal, RefusedError, refusalAnswer } from '../wire/answer.ts';
import { type Fields, formFields, jsonFields, readBody } from '../wire/body.ts';
import { deliver } from '../wire/deliver.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall, ProtocolRefusal, ProtocolRoute } from './protocol.ts';
import { jobScript } from './words.ts';

/** A path that belongs to an imitation. */
export interface Found {
  readonly protocol: Protocol;
  readonly script?: string;
  /** Up to and with the protocol's name. */
  readonly basePath: string;
  /** What follows the name. */
  readonly path: string;
}

const PREFIXED = /^(?:\/fault\/([^/]+))?\/([^/]+)(\/.*)?$/u;
const HOST = /^[\w.:[\]-]{1,255}$/u;
const MAX_SCRIPT_CHARACTERS = 1000;

/** Finds the imitation in `/<name>/…` or `/fault/<script>/<name>/…`. */
export function findProtocol(protocols: readonly Protocol[], pathname: string): Found | undefined {
  const [, script, name = '', path = '/'] = PREFIXED.exec(pathname) ?? [];
  const protocol = protocols.find((one) => one.name === name);
  if (!protocol) return undefined;
  const basePath = pathname.slice(0, pathname.length - (path === '/' && !pathname.endsWith('/') ? 0 : path.length));
  return { protocol, basePath, path, ...(script !== undefined && { script: decoded(script) }) };
}

/** Answers a request to an imitation; what is refused, and what fails in the sandbox itself, in the protocol's own words. */
export async function answerProtocol(
  context: TaskContext,
  { protocol, basePath, path, script }: Found,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { searchParams: query } = new URL(request.url ?? '/', context.url);
  const { host } = request.headers;
  const origin = host !== undefined && HOST.test(host) ? `http://${host}` : context.url;
  const base = `${origin}${basePath}`;
  const key = protocol.key?.(request.headers, query);
  let call: ProtocolCall = {
    ...{
      protocol,
      context,
      request,
      response,
      params: {},
      query,
      headers: request.headers,
      body: NOTHING,
      form: false,
    },
    ...{ base, basePath, script, key, bill: { written: false } },
  };
  let route: ProtocolRoute | undefined;
  let answer: ProtocolAnswer | undefined;
  try {
    const found = findRoute(protocol, request.method ?? 'GET', path);
    route = found.route;
    call = { ...call, params: found.params };
    if (protocol.key && !route.open && !key) throw new RefusedError(MISSING_KEY);
    const form = isForm(request.headers['content-type'] ?? '');
    call = { ...call, form, body: await readFields(request) };
    call = { ...call, script: readScriptField(call.body) ?? script };
    const wrong = scriptError(call, route);
    if (wrong) return deliver(response, refusalAnswer(wrong));
    answer = await route.handle(call);
  } catch (error) {
    if (response.headersSent || response.closed) throw error;
    const refusal = refusalOf(error);
    if (route?.bills) billRefusal(call, refusal);
    answer = protocol.refuse(refusal, call);
  }
  if (!answer) return;
  const headers = { ...protocol.headers?.(call), ...answer.headers };
  await deliver(response, { ...answer, headers }, answer.connection);
}

const NOTHING: Fields = { values: {}, files: [] };
const MISSING_KEY: Refusal = { status: 401, reason: 'key', message: 'The API key is missing.' };

async function readFields(request: IncomingMessage): Promise<Fields> {
  const body = await readBody(request);
  const type = request.headers['content-type'] ?? '';
  if (body.length === 0) return NOTHING;
  if (isForm(type)) return formFields(body, type);
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return { values: Object.fromEntries(new URLSearchParams(body.toString('utf8'))), files: [] };
  }
  if (/^(image|application\/octet-stream)/u.test(type)) return { values: {}, files: [{ field: '', bytes: body }] };
  return jsonFields(body);
}

function readScriptField({ values: { fault } }: Fields): string | undefined {
  return typeof fault === 'string' && fault !== '' ? fault.slice(0, MAX_SCRIPT_CHARACTERS) : undefined;
}

/** A misspelled script is the tester's mistake, so it is said in the sandbox's own words. */
function scriptError(call: ProtocolCall, { readScript }: ProtocolRoute): Refusal | undefined {
  try {
    if (readScript) readScript(call);
    else jobScript(call.protocol, call.script);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

const REASONS: Readonly<Record<number, Reason>> = {
  401: 'key',
  402: 'billing',
  403: 'permission',
  404: 'not-found',
  405: 'method',
  408: 'timeout',
  409: 'conflict',
  413: 'too-large',
  429: 'rate',
};

/** A refusal with its reason, which its status says where it does not itself. */
export function reasoned(refusal: Refusal): ProtocolRefusal {
  const reason = refusal.reason ?? REASONS[refusal.status] ?? (refusal.status >= 500 ? 'server' : 'invalid');
  return { ...refusal, reason };
}

function refusalOf(error: unknown): ProtocolRefusal {
  if (error instanceof RefusedError) return reasoned(error.refusal);
  const message = `The sandbox itself failed: ${error instanceof Error ? error.message : String(error)}`;
  return { status: 500, reason: 'server', code: 'sandbox_failed', message };
}

function billRefusal({ bill, context, protocol }: ProtocolCall, refusal: ProtocolRefusal): void {
  if (bill.written) return;
  const model = `${protocol.name}/${bill.model ?? UNREADABLE}`;
  const played = `refused: ${refusal.code ?? refusal.reason}`;
  const prompt = bill.prompt === undefined ? {} : { prompt: keptPrompt(bill.prompt) };
  const { endpoint } = bill;
  const asked = endpoint === undefined ? { operation: 'generate' as const } : { operation: 'chat' as const, endpoint };
  context.ledger.append({ at: Date.now(), ...asked, model, ...prompt, played, images: 0, charged: 0 });
}

function findRoute(
  { name, routes }: Protocol,
  method: string,
  path: string,
): { route: ProtocolRoute; params: Record<string, string> } {
  const known = routes.flatMap((route) => {
    const groups = patternOf(route.path).exec(path)?.groups;
    return groups ? [{ route, groups }] : [];
  });
  const found = known.find(({ route }) => route.method === method);
  if (found) {
    const { _, ...groups } = found.groups;
    const params = Object.entries(groups).map(([param, value]) => [param, decoded(value ?? '')]);
    return { route: found.route, params: Object.fromEntries(params) };
  }
  if (known.length > 0) {
    const allow = [...new Set(known.map(({ route }) => route.method))].join(', ');
    throw new RefusedError({
      status: 405,
      message: `Not allowed to ${method} on ${path}; use ${allow}.`,
      headers: { allow },
    });
  }
  const paths = routes.map((route) => `${route.method} ${route.path}`).join(', ');
  throw new RefusedError({
    status: 404,
    code: 'unknown_url',
    message: `/${name} has no ${method} ${path}. There are: ${paths}.`,
  });
}

const patterns = new Map<string, RegExp>();

function patternOf(path: string): RegExp {
  const known = patterns.get(path);
  if (known) return known;
  const parts = path.split('/').map((part) => {
    const [, param, rest, after] = /^:(\w+)(\*?)(.*)$/u.exec(part) ?? [];
    if (param === undefined) return literal(part);
    return `(?<${param}>${rest === '*' ? '.+' : '[^/]+'})${literal(after ?? '')}`;
  });
  // The empty group makes `groups` an object also where a path has no names.
  const pattern = new RegExp(`^(?<_>)${parts.join('/')}/?$`, 'u');
  patterns.set(path, pattern);
  return pattern;
}

function literal(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}/]/gu, '\\$&');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
