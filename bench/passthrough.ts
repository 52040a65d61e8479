/** The measure: a bare Node proxy that passes bytes on and knows nothing. Its argument is the origin behind it. */
import { createServer } from 'node:http';
import { Pool } from 'undici';
import { serve } from './serving.ts';

const pool = new Pool(process.argv[2] ?? '', { connections: 256 });

serve(
  createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { 'content-type': type = '', 'content-length': length = '' } = request.headers;
    pool
      .stream(
        {
          method: 'POST',
          path: request.url ?? '/',
          headers: { 'content-type': type, 'content-length': length },
          body: request,
          signal: gone.signal,
        },
        ({ statusCode, headers }) => response.writeHead(statusCode, headers),
      )
      .catch(() => response.destroy());
  }),
);
