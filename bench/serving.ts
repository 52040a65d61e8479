import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on a free port, says which, and ends with the process that started this one. */
export function serve(server: Server): void {
  process.once('disconnect', () => process.exit(0));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`http://127.0.0.1:${port}\n`);
  });
}
