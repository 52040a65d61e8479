import { providerWords } from '../envelope.ts';
import type { HttpResponse } from '../http.ts';
import { imageSource } from '../images/source.ts';
import { isObject, type JsonValue, stringAt } from '../json.ts';
import type { CancelReading, FailureReading, Handle, ImageSource, Progress, Stage } from './provider.ts';
import { withoutId } from './undecided.ts';

/** A refused call; what became of a prediction stands in a 200 and is read with it. */
export function classifyReplicate(response: HttpResponse): FailureReading | undefined {
  const { status } = response;
  const said = providerWords(response)?.message;
  if (status < 400 || said === undefined) return undefined;
  if (status === 429) return throttled(said);
  if (status === 404)
    return { kind: 'not_found', message: `${said} (a community model is named with its version: owner/name:version)` };
  if (status === 422 && /version does not exist/i.test(said)) return { kind: 'not_found', message: said };
  return undefined;
}

/** A limit that is low because credit is low looks like any other; its words say what would raise it. */
function throttled(said: string): FailureReading {
  const message = /in credit/i.test(said) ? `the account's low credit lowers its rate limit: ${said}` : said;
  return { kind: 'throttled', throttle: 'requests', message };
}

const STAGES: ReadonlyMap<string, Stage> = new Map([
  ['starting', 'queued'],
  ['queued', 'queued'],
  ['processing', 'running'],
]);

/** A status nobody here knows is a prediction that is still on its way. */
export function readPrediction({ body }: HttpResponse, handle: Handle | undefined): Progress {
  const status = stringAt(body, 'status') ?? '';
  if (status === 'succeeded') return readOutput(body);
  const failure = failureOf(status, body);
  if (failure) return { kind: 'failed', failure };
  const id = stringAt(body, 'id');
  const known = handle ?? (id === undefined || id === '' ? undefined : { id });
  if (known === undefined) return withoutId('Replicate', 'prediction');
  const stage = STAGES.get(status);
  const progress = progressOf(logsOf(body));
  return {
    kind: 'waiting',
    handle: known,
    ...(stage !== undefined && { stage }),
    ...(progress !== undefined && { progress }),
  };
}

const MAX_LOG_CHARS = 8_192;
const BLOCKED = /\(E005\)|flagged as sensitive|\bnsfw\b|safety (?:filter|checker|system)|content (?:policy|moderat)/i;

function failureOf(status: string, body: JsonValue | undefined): FailureReading | undefined {
  const said = stringAt(body, 'error') ?? '';
  const code = /\(((?:E\d{3,5})|PA)\)|\(code: (\w{1,10})\)/.exec(said);
  const named = code?.[1] ?? code?.[2];
  const told = {
    message: said === '' ? `Replicate says that the prediction is ${status}` : said,
    classifiedBy: `prediction ${status}`,
    ...(named !== undefined && { code: named }),
  };
  if (status === 'aborted')
    return { kind: 'canceled', cancel: 'confirmed', certainty: 'rejected', ...told, message: NEVER_STARTED };
  if (status === 'canceled') return { kind: 'canceled', cancel: 'confirmed', certainty: 'ambiguous', ...told };
  if (status !== 'failed') return undefined;
  if (BLOCKED.test(said)) return { kind: 'policy', certainty: 'failed', ...told };
  if (/high demand|at capacity|overloaded/i.test(said)) return { kind: 'overloaded', certainty: 'failed', ...told };
  return { kind: 'server', certainty: 'failed', ...told };
}

const NEVER_STARTED = 'Replicate gave the prediction up before it began, and does not bill it';

/** A safety checker takes pictures away from a prediction that succeeded, and says so in its logs only. */
function readOutput(body: JsonValue | undefined): Progress {
  const sources = sourcesIn(isObject(body) ? body.output : undefined);
  const logs = logsOf(body);
  const [, seed] = /\busing seed:? (\d{1,15})\b/i.exec(logs) ?? [];
  const [only] = sources;
  const images =
    only && sources.length === 1 && seed !== undefined
      ? [{ source: only, seed: Number(seed) }]
      : sources.map((source) => ({ source }));
  const blocked = (logs.match(/nsfw content detected/gi) ?? []).slice(0, MAX_SOURCES).map(() => BLOCKED_OUTPUT);
  const missing = blocked.length > 0 || images.length > 0 ? blocked : [emptyOutput(body)];
  return { kind: 'done', images, ...(missing.length > 0 && { missing }) };
}

const BLOCKED_OUTPUT: FailureReading = {
  kind: 'policy',
  stage: 'output',
  certainty: 'completed',
  message: 'NSFW content detected: the safety checker of the model took the picture away',
};

function emptyOutput(body: JsonValue | undefined): FailureReading {
  const isGone = isObject(body) && body.data_removed === true;
  const why = isGone ? 'its output has been deleted, as Replicate does about an hour after it is made' : 'it is empty';
  return { kind: 'empty', message: `the prediction succeeded, but there is no picture in its output: ${why}` };
}

const MAX_SOURCES = 64;
const MAX_DEPTH = 4;

/** Every link and data URL in an output of whatever shape: a string, a list, an object of lists. */
function sourcesIn(value: JsonValue | undefined, depth = 0): readonly ImageSource[] {
  if (typeof value === 'string') {
    const source = /^(?:https?:\/\/|data:)/i.test(value) ? imageSource(value) : undefined;
    return source === undefined ? [] : [source];
  }
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return [];
  const blob = imageSource(isObject(value) ? value : undefined);
  if (blob !== undefined) return [blob];
  const inner: readonly (JsonValue | undefined)[] = Array.isArray(value) ? value : Object.values(value);
  return inner
    .slice(0, MAX_SOURCES)
    .flatMap((one) => sourcesIn(one, depth + 1))
    .slice(0, MAX_SOURCES);
}

function logsOf(body: JsonValue | undefined): string {
  return (stringAt(body, 'logs') ?? '').slice(-MAX_LOG_CHARS);
}

/** The last of the bars a model draws into its logs, such as `45%|████`. */
function progressOf(logs: string): number | undefined {
  const last = [...logs.matchAll(/(\d{1,3})%\|/g)].at(-1)?.[1];
  return last === undefined ? undefined : Math.min(100, Number(last));
}

export function readCanceled({ status, body }: HttpResponse): CancelReading {
  const said = stringAt(body, 'status');
  const good = status >= 200 && status < 300;
  if (good && said === 'aborted') return { confirmed: true, certainty: 'rejected', message: NEVER_STARTED };
  if (good && said === 'canceled')
    return { confirmed: true, certainty: 'ambiguous', message: 'Replicate bills what a prediction ran until then' };
  const message = good ? `the prediction is ${said ?? 'unknown'}` : `Replicate answered ${status}`;
  return { confirmed: false, certainty: 'ambiguous', message };
}
