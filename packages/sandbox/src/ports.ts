import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

/** A loopback port with one behaviour. */
export interface Port {
  readonly port: number;
  close(): void;
}

/**
 * A port that refuses every connection for as long as it is open.
 *
 * Its listener is closed, but one connection that it had accepted stays: the kernel gives the number to nobody who
 * asks for a free port, and resets whoever connects, because nobody listens. The near end's number would not do:
 * where the kernel takes it for an outgoing connection too, that connection reaches itself.
 */
export async function openRefusingPort(): Promise<Port> {
  const server = await listen();
  const { port } = server.address() as AddressInfo;
  const near = connect(port, HOST);
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [[Socket], unknown];
  server.close();
  for (const end of [near, far]) end.on('error', () => undefined).unref();
  return {
    port,
    close: () => {
      near.destroy();
      far.destroy();
    },
  };
}

/** A port that resets every connection as soon as it is accepted. */
export async function openResettingPort(): Promise<Port> {
  const server = await listen();
  server.on('connection', (socket) => socket.resetAndDestroy());
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  return server;
}
