import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createStudio } from '../draw/studio.ts';
import { openFiles } from '../files.ts';
import { type Ledger, openLedger } from '../ledger.ts';
import { createLimiter, type LimitRule } from '../limit.ts';
import { writeImitatedLetter } from '../protocols/jobs.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { answerProtocol, findProtocol } from '../protocols/routing.ts';
import { openTasks } from '../tasks/tasks.ts';
import { createUploads } from '../uploads.ts';
import { temporaryDirectory } from './sandbox.ts';

/** A server that speaks one protocol and nothing else, for protocols that only a test has. */
export async function imitationFor(
  t: TestContext,
  protocol: Protocol,
  limit: LimitRule = {},
): Promise<{ url: string; ledger: Ledger }> {
  const dataDir = temporaryDirectory(t);
  const ledger = openLedger(dataDir);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const files = openFiles(dataDir);
  const images = { ledger, limiter: createLimiter(limit, false), studio: createStudio(), files, url };
  const tasks = openTasks(dataDir, images, (...job) => writeImitatedLetter([protocol], ...job));
  const context = { ...images, tasks, uploads: createUploads() };
  server.on('request', (request, response) => {
    const found = findProtocol([protocol], new URL(request.url ?? '/', url).pathname);
    if (found) answerProtocol(context, found, request, response).catch(() => response.destroy());
    else response.writeHead(404).end();
  });
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    tasks.close();
    ledger.close();
  });
  return { url, ledger };
}
