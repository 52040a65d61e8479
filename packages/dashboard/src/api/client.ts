/** An answer that is an error, in the words of the gateway. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | undefined;
  /** What to do about it. */
  readonly advice: string | undefined;
  readonly requestId: string | undefined;
  readonly generation: string | undefined;

  constructor(status: number, { error = {}, onetake = {} }: ErrorBody) {
    super(error.message ?? `the gateway answered ${status} without saying why`);
    this.name = 'ApiError';
    this.status = status;
    this.code = error.code ?? String(status);
    this.param = error.param ?? undefined;
    this.advice = onetake.advice;
    this.requestId = onetake.request_id;
    this.generation = onetake.generation;
  }
}

interface ErrorBody {
  readonly error?: { readonly message?: string; readonly code?: string; readonly param?: string | null };
  readonly onetake?: { readonly advice?: string; readonly request_id?: string; readonly generation?: string };
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** JSON, or a form as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The gateway takes the cookie only together with this header, which no page of another origin can send. */
const OWN_PAGE = { 'x-onetake-page': '1' };

/** Hears of answers that say that nobody is signed in (any more). */
const signedOutListeners = new Set<() => void>();
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

/** One call to the gateway, whose error answers are thrown. */
export async function call(path: string, options: CallOptions = {}): Promise<Response> {
  const { method = 'GET', body, headers, signal } = options;
  const isForm = body instanceof FormData;
  const response = await fetch(path, {
    method,
    headers: { ...OWN_PAGE, ...(body !== undefined && !isForm && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  });
  if (response.ok) return response;
  const told = (await response.json().catch(() => ({}))) as ErrorBody;
  if (response.status === 401) for (const listener of [...signedOutListeners]) listener();
  throw new ApiError(response.status, told);
}

/** The JSON of one call. The page and the gateway are of one version, so its shape is taken as it is documented. */
export async function json<Answer>(path: string, options?: CallOptions): Promise<Answer> {
  return (await call(path, options)).json() as Promise<Answer>;
}

/** A path with those of the parameters that are set. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Looking again may help: the gateway restarts, or is busy. What it refused it will refuse again. */
export function isWorthRepeating(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 503;
}

/** What to say of anything that was thrown. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof TypeError) return 'the gateway cannot be reached; is it running?';
  return error instanceof Error ? error.message : String(error);
}
