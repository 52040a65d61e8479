import type { Connection, RunEnvironment } from './environment.ts';
import type { HttpRequest } from './http.ts';
import type { RunWork } from './modality.ts';

interface Traced extends Pick<RunWork, 'runId' | 'attempt' | 'plan'> {
  readonly environment: Pick<RunEnvironment, 'traceHeaders'>;
}

/**
 * The request with the headers that tie it to a trace: only where it goes to its provider's own address, and never in
 * place of a header that the request has. A storage for uploads, or a link to a result, is none of the trace's business.
 */
export function withTraceHeaders(
  request: HttpRequest,
  { runId, attempt, plan, environment }: Traced,
  { baseUrl }: Pick<Connection, 'baseUrl'>,
): HttpRequest {
  const headers = environment.traceHeaders?.(runId, attempt, plan);
  if (headers === undefined || URL.parse(request.url)?.origin !== URL.parse(baseUrl)?.origin) return request;
  return { ...request, headers: { ...headers, ...request.headers } };
}
