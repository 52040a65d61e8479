import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ChatEndpoint } from './chat/call.ts';
import { answerChatPost } from './chat/routes.ts';
import { answerImagePost } from './exchange.ts';
import { CHAT_FAULTS, readChatScript } from './faults/chat.ts';
import type { NamedFault } from './faults/fault.ts';
import { exampleOf, FAULTS, PORT_FAULTS, readScript, withoutPrefix } from './faults/script.ts';
import type { LinkGuard } from './links.ts';
import { PROTOCOLS } from './protocols/index.ts';
import { answerProtocol, findProtocol } from './protocols/routing.ts';
import type { Requests } from './requests.ts';
import { TASK_FAULTS } from './tasks/behaviours.ts';
import { cancelTask, getTask } from './tasks/routes.ts';
import { submitTask, type TaskContext } from './tasks/submit.ts';
import { type Answer, jsonAnswer, openAiHeaders, RefusedError, refusalAnswer } from './wire/answer.ts';
import { jsonFields, readBody } from './wire/body.ts';
import { deliver } from './wire/deliver.ts';

/** What every route is answered with. */
export interface SandboxContext extends TaskContext {
  /** What the next connections of the main port meet, the first entry first. */
  readonly connections: ('reset' | 'ok')[];
  /** What links to pictures say of themselves. */
  readonly links: LinkGuard;
  readonly requests: Requests;
  readonly refusePort: number;
  readonly resetPort: number;
}

type Handler = (context: SandboxContext, exchange: Exchange) => Answer | undefined | Promise<Answer | undefined>;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** What the path's last part was, decoded. */
  readonly name: string;
}

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Ends in a slash where a name follows. */
  readonly path: string;
  readonly handle: Handler;
}

const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/v1/images/generations', handle: postImage('generate') },
  { method: 'POST', path: '/v1/images/edits', handle: postImage('edit') },
  { method: 'POST', path: '/v1/chat/completions', handle: postChat('chat/completions') },
  { method: 'POST', path: '/v1/responses', handle: postChat('responses') },
  { method: 'POST', path: '/v1/embeddings', handle: postChat('embeddings') },
  {
    method: 'GET',
    path: '/v1/models',
    handle: () => jsonAnswer(200, { object: 'list', data: MODELS.map(modelObject) }),
  },
  { method: 'GET', path: '/v1/models/', handle: getModel },
  {
    method: 'POST',
    path: '/tasks',
    handle: (context, { request, response }) => submitTask(context, request, response),
  },
  { method: 'GET', path: '/tasks/', handle: (context, { name }) => getTask(context, name) },
  { method: 'POST', path: '/tasks/', handle: (context, { name }) => cancelTask(context, name) },
  { method: 'GET', path: '/files/', handle: getFile },
  { method: 'GET', path: '/protocols', handle: getProtocols },
  { method: 'GET', path: '/faults', handle: getFaults },
  { method: 'POST', path: '/faults', handle: postFaults },
  { method: 'GET', path: '/requests', handle: ({ requests }) => requests.answer() },
  { method: 'GET', path: '/ledger', handle: getLedger },
  { method: 'DELETE', path: '/ledger', handle: deleteLedger },
];

const MODELS = [...new Set(['gpt-image-2', ...[...FAULTS.values(), ...CHAT_FAULTS.values()].map(exampleOf)])];
const MAX_SCRIPTED_CONNECTIONS = 1000;

/** Answers one request; whatever goes wrong inside becomes a 500 in OpenAI's envelope, or the end of the connection. */
export async function answerRequest(
  context: SandboxContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  // A caller who leaves while we write is no fault of ours; without a listener it would end the process.
  response.on('error', () => undefined);
  context.requests.note(request);
  try {
    const imitated = findProtocol(PROTOCOLS, new URL(request.url ?? '/', context.url).pathname);
    if (imitated) return await answerProtocol(context, imitated, request, response);
    const answer = await findAnswer(context, request, response);
    if (answer) await deliver(response, withHeaders(answer, startedAt));
  } catch (error) {
    if (response.headersSent || response.closed) response.destroy();
    else await deliver(response, withHeaders(answerError(error), startedAt));
  }
}

function findAnswer(context: SandboxContext, request: IncomingMessage, response: ServerResponse): ReturnType<Handler> {
  const { pathname, searchParams } = new URL(request.url ?? '/', context.url);
  const { route, name } = findRoute(request.method ?? 'GET', pathname);
  return route.handle(context, { request, response, query: searchParams, name });
}

function withHeaders(answer: Answer, startedAt: number): Answer {
  return { ...answer, headers: { ...openAiHeaders(startedAt), ...answer.headers } };
}

function answerError(error: unknown): Answer {
  if (error instanceof RefusedError) return refusalAnswer(error.refusal);
  const message = `The sandbox itself failed: ${error instanceof Error ? error.message : String(error)}`;
  return refusalAnswer({ status: 500, type: 'sandbox_error', code: 'sandbox_failed', message });
}

function findRoute(method: string, path: string): { route: Route; name: string } {
  const known = ROUTES.filter(
    (route) => route.path === path || (route.path.endsWith('/') && path.startsWith(route.path)),
  );
  const route = known.find((one) => one.method === method);
  if (route) return { route, name: decode(path.slice(route.path.length)) };
  if (known.length > 0) {
    const allow = known.map((one) => one.method).join(', ');
    const message = `Not allowed to ${method} on ${path}; use ${allow}.`;
    throw new RefusedError({ status: 405, message, headers: { allow } });
  }
  const paths = ROUTES.map((one) => `${one.method} ${one.path}`).join(', ');
  const message = `Unknown request URL: ${method} ${path}. There are: ${paths}.`;
  throw new RefusedError({ status: 404, code: 'unknown_url', message });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function postImage(operation: 'generate' | 'edit'): Handler {
  return async (context, { request, response }) => {
    await answerImagePost(context, operation, request, response);
    return undefined;
  };
}

function postChat(endpoint: ChatEndpoint): Handler {
  return async (context, { request, response }) => {
    await answerChatPost(context, endpoint, request, response);
    return undefined;
  };
}

function modelObject(id: string): object {
  return { id, object: 'model', created: 0, owned_by: 'sandbox' };
}

function getModel(_context: SandboxContext, { name }: Exchange): Answer {
  const [fault = ''] = withoutPrefix(name).split(/[:+,]/u);
  if (CHAT_FAULTS.has(fault) && !FAULTS.has(fault)) readChatScript(name, undefined);
  else readScript(name, undefined);
  return jsonAnswer(200, modelObject(name));
}

async function getFile({ files, links }: SandboxContext, { name, query }: Exchange): Promise<Answer> {
  const instead = links.check(query, Date.now());
  if (instead) return instead;
  const file = await files.read(name);
  if (!file) {
    const message = `No file is named '${name}'; the oldest files are removed first.`;
    throw new RefusedError({ status: 404, code: 'not_found', message });
  }
  const headers = {
    'content-type': file.type,
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
  };
  return { status: 200, headers, body: [file.bytes] };
}

/** The imitations; `fault_url` plays a script to a client that cannot say one itself. */
function getProtocols({ url }: SandboxContext): Answer {
  const protocols = PROTOCOLS.map(({ name, basePath = '' }) => ({
    name,
    base_url: `${url}/${name}${basePath}`,
    fault_url: `${url}/fault/{script}/${name}${basePath}`,
  }));
  return jsonAnswer(200, { protocols });
}

function getFaults({ refusePort, resetPort, connections }: SandboxContext): Answer {
  const list = (api: 'images' | 'tasks' | 'chat', faults: ReadonlyMap<string, NamedFault>) =>
    [...faults.values()].map((fault) => ({ api, example: exampleOf(fault), ...factsOf(fault) }));
  const faults = [...list('images', FAULTS), ...list('tasks', TASK_FAULTS), ...list('chat', CHAT_FAULTS)];
  const ports = [
    { name: 'refuse', port: refusePort, sentence: PORT_FAULTS.refuse },
    { name: 'reset-before-read', port: resetPort, sentence: PORT_FAULTS['reset-before-read'] },
  ];
  return jsonAnswer(200, { faults, ports, connections });
}

function factsOf({ name, charges, sentence }: NamedFault): Pick<NamedFault, 'name' | 'charges' | 'sentence'> {
  return { name, charges, sentence };
}

async function postFaults({ connections }: SandboxContext, { request }: Exchange): Promise<Answer> {
  const { values } = jsonFields(await readBody(request));
  const script = values.connections;
  const valid =
    Array.isArray(script) &&
    script.length <= MAX_SCRIPTED_CONNECTIONS &&
    script.every((entry) => entry === 'reset' || entry === 'ok');
  if (!valid) {
    const message = `Invalid 'connections': expected an array of at most ${MAX_SCRIPTED_CONNECTIONS} entries, each 'reset' or 'ok'.`;
    throw new RefusedError({ status: 400, param: 'connections', code: 'invalid_value', message });
  }
  connections.splice(0, connections.length, ...script);
  return jsonAnswer(200, { connections });
}

function getLedger({ ledger }: SandboxContext, { query }: Exchange): Answer {
  return jsonAnswer(200, query.get('detail') === '1' ? { ...ledger.bill(), entries: ledger.details() } : ledger.bill());
}

function deleteLedger({ ledger, tasks }: SandboxContext): Answer {
  tasks.forget();
  ledger.reset();
  return jsonAnswer(200, ledger.bill());
}
