/** The measure: a bare Node proxy that pipes both ways and knows nothing. Its argument is the origin behind it. */
import { Agent, createServer, request as send } from 'node:http';
import { serve } from './serving.ts';

const { hostname, port } = new URL(process.argv[2] ?? '');
const agent = new Agent({ keepAlive: true });

serve(
  createServer((request, response) => {
    const { method, url: path, headers } = request;
    const upstream = send({ hostname, port, method, path, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.once('error', () => response.destroy());
    response.once('close', () => upstream.destroy());
    request.pipe(upstream);
  }),
);
