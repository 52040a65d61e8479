import { parseArgs } from 'node:util';
import { parseLimit } from './limit.ts';
import { type SandboxOptions, startSandbox } from './server.ts';

const USAGE =
  'usage: --data DIR [--port N] [--limit images=5/60s,requests=10/60s,tokens=9000/60s,concurrency=4] [--silent]';

function readOptions(): SandboxOptions {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      data: { type: 'string' },
      limit: { type: 'string' },
      silent: { type: 'boolean', default: false },
    },
  });
  if (values.data === undefined) throw new Error('--data is missing; it names the directory that keeps the bill');
  const port = /^\d{1,5}$/u.test(values.port) ? Number(values.port) : Number.NaN;
  if (!(port <= 65_535))
    throw new Error(`--port "${values.port}" must be a whole number from 0 to 65535; 0 takes a free port`);
  return {
    port,
    dataDir: values.data,
    silentLimit: values.silent,
    ...(values.limit !== undefined && { limit: parseLimit(values.limit) }),
  };
}

async function run(): Promise<void> {
  // Whoever started this process with a channel is gone when the channel is, even after a kill -9.
  process.once('disconnect', () => process.exit(0));
  const { url, refusePort, resetPort, close } = await startSandbox(readOptions());
  const stop = () => void close().then(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
  const ready = { ready: true, url, refusePort, resetPort };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready);
}

run().catch((error: unknown) => {
  process.stderr.write(`sandbox: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exit(1);
});
