export const ENDPOINTS = ['/v1/images/generations', '/v1/chat/completions', '/v1/responses', '/v1/embeddings'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** What the beginning of a file says of its lines. */
export type Glimpse =
  | { readonly ok: true; readonly endpoint: Endpoint; readonly prompt: string | undefined }
  | { readonly ok: false; readonly why: string };

/** As much of a file as is looked at before it is sent. */
export const GLIMPSE_BYTES = 1024 * 1024;

/** Reads the first line of what is to be a batch: `{custom_id, method, url, body}`. */
export function glimpseOf(beginning: string): Glimpse {
  const [first = ''] = beginning.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (first === '') return { ok: false, why: 'the file is empty; write one request a line' };
  const line = parsed(first);
  if (typeof line !== 'object' || line === null) {
    return { ok: false, why: 'the first line is no JSON object; write one request a line, as below' };
  }
  const { url, custom_id: id, body } = line as Readonly<Record<string, unknown>>;
  const endpoint = ENDPOINTS.find((one) => one === url);
  if (endpoint === undefined) {
    return { ok: false, why: `url of the first line is ${shown(url)}; it is one of ${ENDPOINTS.join(', ')}` };
  }
  if (typeof id !== 'string') return { ok: false, why: 'the first line has no custom_id; name each request by one' };
  const prompt = typeof body === 'object' && body !== null ? (body as { readonly prompt?: unknown }).prompt : undefined;
  return { ok: true, endpoint, prompt: typeof prompt === 'string' ? prompt : undefined };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);
}

/** A line of each kind, to begin with. */
export function exampleLines(model: string): string {
  return ['a red fox in the snow', 'a blue door in the rain']
    .map((prompt, index) =>
      JSON.stringify({
        ...{ custom_id: `line-${index + 1}`, method: 'POST', url: ENDPOINTS[0] },
        body: { model, prompt },
      }),
    )
    .join('\n');
}

/** The same from a terminal. */
export function curlFor(origin: string): string {
  return [
    `file=$(curl -s ${origin}/v1/files -F purpose=batch -F file=@requests.jsonl | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')`,
    `curl -s ${origin}/v1/batches -H 'content-type: application/json' \\`,
    `  -d "{\\"input_file_id\\":\\"$file\\",\\"endpoint\\":\\"${ENDPOINTS[0]}\\",\\"completion_window\\":\\"24h\\"}"`,
  ].join('\n');
}
