import { type Io, isObject, type JsonObject } from '@onetake/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { digestOf } from '../keys/admin-key.ts';
import { createLoginGuesses, GUESSES_WITHIN_MS, type LoginGuesses, MAX_WRONG_KEYS } from '../keys/login-guesses.ts';
import { SESSION_MS, type Sessions } from '../keys/session.ts';
import { VERSION } from '../version.ts';
import { adminOnly } from './admin.ts';
import { type IdentifyCaller, type Identity, LOCAL_CALLER } from './callers.ts';
import { opensPage, sessionCookie } from './page-session.ts';
import { invalidValue, RequestProblem } from './problem.ts';

export interface SessionDeps {
  readonly config: Pick<Config, 'publicUrl' | 'defaultModel'>;
  readonly identify: IdentifyCaller;
  readonly sessions: Sessions;
  readonly sandboxUrl: () => string | undefined;
  readonly io: Pick<Io, 'now'>;
}

/** Asked by who has no key yet. */
const OPEN = { config: { open: true } };
const BODY_BYTES = 4096;
const MAX_KEY_CHARACTERS = 1024;

/** Who the page is signed in for, and signing in and out. */
export function addSession(app: FastifyInstance, deps: SessionDeps): void {
  const routes = sessionRoutes(deps, createLoginGuesses(deps.io.now));
  app.get('/v1/session', { ...OPEN, exposeHeadRoute: false }, routes.read);
  app.post('/v1/session', { ...OPEN, bodyLimit: BODY_BYTES }, routes.open);
  app.delete('/v1/session', OPEN, routes.close);
}

function sessionRoutes({ config, identify, sessions, sandboxUrl, io }: SessionDeps, guesses: LoginGuesses) {
  const isSecure = config.publicUrl?.startsWith('https:') === true;
  const cookie = (value: string, maxAgeSeconds: number) => sessionCookie(value, maxAgeSeconds, isSecure);
  const view = (identity: Identity | undefined, { fromBrowser }: FastifyRequest): JsonObject => ({
    object: 'session',
    signed_in: identity !== undefined,
    needs_key: identifiedBy(identify, [])?.caller !== LOCAL_CALLER,
    caller: identity?.caller ?? null,
    is_admin: identity?.isAdmin === true && !fromBrowser && identity.key?.browser === undefined,
    version: VERSION,
    sandbox: sandboxUrl() !== undefined,
    default_model: config.defaultModel ?? null,
  });

  return {
    async read(request: FastifyRequest, reply: FastifyReply) {
      reply.header('cache-control', 'no-store');
      return view(identifiedBy(identify, request.raw.rawHeaders), request);
    },

    async open(request: FastifyRequest, reply: FastifyReply) {
      if (request.fromBrowser) throw foreignPage();
      const key = readKey(request);
      const identity = identityOf(key);
      reply.header('cache-control', 'no-store');
      // Where no keys are in use there is nothing to sign in to.
      if (identity.caller !== LOCAL_CALLER)
        reply.header('set-cookie', cookie(sessions.open(identity.caller, digestOf(key)), SESSION_MS / 1000));
      return view(identity, request);
    },

    async close(request: FastifyRequest, reply: FastifyReply) {
      reply.header('cache-control', 'no-store').header('set-cookie', cookie('', 0));
      return view(identifiedBy(identify, []), request);
    },
  };

  function identityOf(key: string): Identity {
    try {
      const identity = identify({ rawHeaders: ['x-api-key', key] });
      if (identity.isAdmin && (identity.key === undefined || opensPage(identity.key))) return identity;
      throw adminOnly(identity.caller);
    } catch (error) {
      // The right key opens at any time: who guesses must not be able to keep the operator out.
      const closedUntil = guesses.closedUntil();
      if (closedUntil !== undefined) throw tooManyGuesses(closedUntil - io.now());
      guesses.failed();
      throw error;
    }
  }
}

/** Who is behind these headers; undefined for nobody, whatever is wrong with what they show. */
function identifiedBy(identify: IdentifyCaller, rawHeaders: string[]): Identity | undefined {
  try {
    return identify({ rawHeaders });
  } catch (error) {
    if (error instanceof RequestProblem) return undefined;
    throw error;
  }
}

/** Never said back; without the line break that pasting adds. A form that a page of another site posts is no JSON. */
function readKey({ body, headers }: FastifyRequest): string {
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    throw new RequestProblem(415, 'unsupported_media_type', 'content-type: signing in takes application/json', {
      param: 'content-type',
    });
  const key = isObject(body) && typeof body.key === 'string' ? body.key.trim() : undefined;
  if (key !== undefined && key !== '' && key.length <= MAX_KEY_CHARACTERS) return key;
  throw invalidValue('key', `expected a key of 1 to ${MAX_KEY_CHARACTERS} characters; send {"key":"…"}`);
}

function foreignPage(): RequestProblem {
  const message =
    'Origin: pages of other origins sign nobody in; open the gateway’s own page, or call with a key in a header';
  return new RequestProblem(403, 'forbidden_origin', message, { param: 'Origin' });
}

function tooManyGuesses(waitMs: number): RequestProblem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const message = `key: ${MAX_WRONG_KEYS} wrong keys were tried within ${GUESSES_WITHIN_MS / 1000} s; try again in ${seconds} s`;
  return new RequestProblem(429, 'too_many_logins', message, {
    param: 'key',
    headers: { 'retry-after': String(seconds) },
  });
}
