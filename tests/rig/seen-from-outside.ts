import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was said, by where. */
export type Said = readonly [where: string, text: string];

/** Secrets of the tools around a gateway; each must be in the request that carries it, and nowhere else. */
export interface OutsideSecrets {
  /** The end of the path of a channel that takes alerts. */
  readonly channel: string;
  /** The same of one that refuses them, and of one that nobody listens at. */
  readonly refusing: string;
  readonly nowhere: string;
  /** `whsec_…` */
  readonly hook: string;
  readonly collector: string;
}

/** A collector and channels of alerts in one server, which repeat what they are shown in what they refuse. */
export async function startOutside(secrets: OutsideSecrets) {
  const said: Said[] = [];
  const server = createServer(async (request, response) => {
    const { url = '', headers } = request;
    const text = await textOf(request);
    const isOtlp = url.startsWith('/v1/');
    said.push([isOtlp ? `OTLP ${url}` : `alert to ${url.split('/')[1]}`, text]);
    const isRefused = isOtlp
      ? said.filter(([where]) => where === `OTLP ${url}`).length === 1
      : url.startsWith('/refuse');
    response.writeHead(isRefused ? 400 : 200, { 'content-type': 'application/json' });
    response.end(isRefused ? JSON.stringify({ code: 3, message: `no: ${url} ${JSON.stringify(headers)}` }) : '{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    said: said as readonly Said[],
    yaml: `
telemetry: { otlp_endpoint: "${url}", headers_env: COLLECTOR_HEADERS }
alerts:
  every: 100ms
  rules: { repeated_failure: { above: 2, for: 0s }, breaker_open: { for: 0s }, key_dead: { for: 0s } }
  channels:
    - { name: slack, kind: slack, url_env: CHANNEL_URL }
    - { name: refusing, kind: discord, url_env: REFUSING_URL }
    - { name: nowhere, kind: slack, url_env: NOWHERE_URL }
    - { name: hook, kind: webhook, url: "${url}/hook", secret_env: ALERT_SECRET }
`,
    env: {
      COLLECTOR_HEADERS: `authorization=Bearer%20${secrets.collector},x-tenant=${secrets.collector}`,
      CHANNEL_URL: `${url}/slack/${secrets.channel}?token=${secrets.channel}`,
      REFUSING_URL: `${url}/refuse/${secrets.refusing}`,
      NOWHERE_URL: `http://127.0.0.1:1/${secrets.nowhere}`,
      ALERT_SECRET: secrets.hook,
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
