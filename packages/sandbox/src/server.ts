import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createStudio } from './draw/studio.ts';
import type { ImageContext } from './exchange.ts';
import { openFiles } from './files.ts';
import { openLedger } from './ledger.ts';
import { createLimiter, type LimitRule } from './limit.ts';
import { createLinkGuard } from './links.ts';
import { openRefusingPort, openResettingPort } from './ports.ts';
import { PROTOCOLS } from './protocols/index.ts';
import { writeImitatedLetter } from './protocols/jobs.ts';
import { createRequests } from './requests.ts';
import { answerRequest, type SandboxContext } from './routes.ts';
import { openTasks } from './tasks/tasks.ts';
import { createUploads } from './uploads.ts';

export interface SandboxOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly host?: '127.0.0.1';
  /** Bill, script positions, jobs and files live here; made when it is not there. */
  readonly dataDir: string;
  /** Enforced over all requests and jobs; absent, nothing is limited. */
  readonly limit?: LimitRule;
  /** Refuses without Retry-After, rate headers and numbers. */
  readonly silentLimit?: boolean;
}

export interface Sandbox {
  readonly url: string;
  readonly port: number;
  /** A loopback port that refuses every connection. */
  readonly refusePort: number;
  /** A loopback port that resets every connection as soon as it is accepted. */
  readonly resetPort: number;
  /** Ends every connection at once and stops. */
  close(): Promise<void>;
}

/** As many streams at once, and as many callers that connect in the same instant. */
const MAX_CONNECTIONS = 4096;
const HEADERS_TIMEOUT_MS = 15_000;
const BODY_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_MS = 60_000;

/** Starts a provider that speaks OpenAI's APIs of pictures and chat, fails on command and keeps the bill. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1';
  const ledger = openLedger(options.dataDir);
  const files = openFiles(options.dataDir);
  const [refusing, resetting] = await Promise.all([openRefusingPort(), openResettingPort()]);
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: BODY_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;

  const closeRest = () => {
    refusing.close();
    resetting.close();
    ledger.close();
  };
  const { port } = await listen(server, options.port ?? 0, host).catch((error: unknown) => {
    closeRest();
    throw error;
  });
  const images: ImageContext = {
    ledger,
    limiter: createLimiter(options.limit ?? {}, options.silentLimit ?? false),
    studio: createStudio(),
    files,
    url: `http://${host}:${port}`,
  };
  const tasks = openTasks(options.dataDir, images, (...job) => writeImitatedLetter(PROTOCOLS, ...job));
  const context: SandboxContext = {
    ...images,
    tasks,
    connections: [],
    links: createLinkGuard(),
    requests: createRequests(),
    uploads: createUploads(),
    refusePort: refusing.port,
    resetPort: resetting.port,
  };
  server.prependListener('connection', (socket) => {
    if (context.connections.shift() === 'reset') socket.resetAndDestroy();
  });
  server.on('request', (request, response) => void answerRequest(context, request, response));

  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    tasks.close();
    closeRest();
  };
  return { url: context.url, port, refusePort: refusing.port, resetPort: resetting.port, close };
}

async function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  server.listen({ port, host, backlog: MAX_CONNECTIONS });
  await once(server, 'listening');
  return server.address() as AddressInfo;
}
