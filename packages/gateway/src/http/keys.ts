import type { Io, JsonObject } from '@onetake/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { MAX_KEYS, type ManagedKeys } from '../keys/keys.ts';
import { SESSION_MS } from '../keys/session.ts';
import { type BoundedWindow, windowsOf } from '../keys/windows.ts';
import { usdOf } from '../money/usd.ts';
import type { Ledger, WindowUse } from '../store/ledger.ts';
import { ADMIN } from './admin.ts';
import { LOCAL_CALLER } from './callers.ts';
import { keyView, readNewKey } from './key-wire.ts';
import { PAGE_HEADER, sessionCookie } from './page-session.ts';
import { RequestProblem } from './problem.ts';

export interface KeyRouteDeps {
  readonly keys: ManagedKeys;
  readonly store: Pick<Ledger, 'uses'>;
  readonly io: Pick<Io, 'now'>;
  readonly config: Pick<Config, 'publicUrl'>;
  readonly adminSession: () => string | undefined;
}

interface KeyRequest {
  Params: { name: string };
}

/** The keys that were made here: for administrators, and no page in a browser. */
export function addKeyRoutes(app: FastifyInstance, deps: KeyRouteDeps): void {
  const routes = keyRoutes(deps);
  app.post('/v1/keys', ADMIN, routes.create);
  app.get('/v1/keys', ADMIN, routes.list);
  app.get<KeyRequest>('/v1/keys/:name', ADMIN, routes.read);
  app.delete<KeyRequest>('/v1/keys/:name', ADMIN, routes.revoke);
}

function keyRoutes({ keys, store, io, config, adminSession }: KeyRouteDeps) {
  return {
    /** Answers with the key itself in `key`, for this once. */
    async create(request: FastifyRequest, reply: FastifyReply) {
      checkServer(request);
      const wanted = readNewKey(request.body, io.now());
      const made = await keys.create(wanted);
      if (made.kind === 'name_taken') throw nameTaken(wanted.name);
      if (made.kind === 'too_many') throw tooMany();
      reply.code(201).header('cache-control', 'no-store');
      // From now on nobody calls without a key: the page that made the first one goes on as who it was.
      const session = request.caller === LOCAL_CALLER && PAGE_HEADER in request.headers ? adminSession() : undefined;
      const isSecure = config.publicUrl?.startsWith('https:') === true;
      if (session !== undefined) reply.header('set-cookie', sessionCookie(session, SESSION_MS / 1000, isSecure));
      return { ...keyView(made.key, io.now()), key: made.secret };
    },

    /** All of them, in the order they were made. */
    list() {
      const made = keys.list().toSorted((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1));
      return { object: 'list', data: made.map((key) => keyView(key, io.now())) };
    },

    /** With what is spent, held and left in the windows that run now. */
    async read({ params }: FastifyRequest<KeyRequest>) {
      const key = keys.named(params.name) ?? unknown(params.name);
      const windows = windowsOf(key, io.now());
      const uses = windows.length === 0 ? [] : await store.uses(key.name, windows);
      return { ...keyView(key, io.now()), windows: windows.map((window) => windowView(window, uses)) };
    },

    async revoke(request: FastifyRequest<KeyRequest>) {
      checkServer(request);
      const { name } = request.params;
      return keyView((await keys.revoke(name)) ?? unknown(name), io.now());
    },
  };
}

function windowView({ name, unit, most, since, until }: BoundedWindow, uses: readonly WindowUse[]): JsonObject {
  const { spent = 0, held = 0 } = uses.find((use) => use.name === name) ?? {};
  const amount = unit === 'micro_usd' ? usdOf : (count: number) => count;
  return {
    name,
    unit: unit === 'micro_usd' ? 'usd' : 'images',
    most: amount(most),
    spent: amount(spent),
    held: amount(held),
    left: amount(Math.max(0, most - spent - held)),
    since,
    until: until ?? null,
  };
}

/** Without keys every page that may call at all is the administrator. */
function checkServer({ fromBrowser }: FastifyRequest): void {
  if (!fromBrowser) return;
  const why = 'a page in a browser may not make or revoke keys; call from a server, or run onetake keys';
  throw new RequestProblem(403, 'forbidden_origin', `keys: ${why}`);
}

function nameTaken(name: string): RequestProblem {
  const why =
    'it is or was another caller’s, or stands for one, and names are never given twice, so that costs stay apart';
  return new RequestProblem(409, 'name_taken', `name: "${name}" is taken: ${why}; choose another`, { param: 'name' });
}

function tooMany(): RequestProblem {
  const message = `keys: there are ${MAX_KEYS}, revoked and expired ones among them, and no more are kept; give one key to several`;
  return new RequestProblem(409, 'too_many_keys', message);
}

function unknown(name: string): never {
  const message = `key "${name.slice(0, 64)}": there is none of this name; GET /v1/keys lists them`;
  throw new RequestProblem(404, 'not_found', message);
}
