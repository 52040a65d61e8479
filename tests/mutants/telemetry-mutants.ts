import { defects, type Mutant } from './mutant.ts';

const traceHeaders = defects(
  'core',
  'trace-headers.ts',
  ['trace-headers.test.ts'],
  [
    [
      'tells a trace to whoever keeps uploads or results',
      'URL.parse(request.url)?.origin !== URL.parse(baseUrl)?.origin',
      'false',
    ],
    [
      'puts a trace in the place of a header',
      '{ ...headers, ...request.headers }',
      '{ ...request.headers, ...headers }',
    ],
  ],
);

const traceContext = defects(
  'gateway',
  'tracing/trace-context.ts',
  ['tracing/trace-context.test.ts', 'tracing/spans.test.ts'],
  [
    ['tells every attempt as the first', 'Number(runId.slice(dot + 1)), attempt)', 'Number(runId.slice(dot + 1)), 1)'],
    [
      'tells every run as the first',
      'attemptSpanId(generation, Number(runId.slice(dot + 1)),',
      'attemptSpanId(generation, 0,',
    ],
    ['takes an id of zeros for a trace', 'NOTHING.test(traceId) || ', ''],
    ['keeps a trace that its caller does not want kept', "isSampled: flags === '01'", 'isSampled: true'],
    ['passes on whatever vendors said', 'state.length <= MAX_STATE_CHARS', 'state.length > 0'],
  ],
);

const spans = defects(
  'gateway',
  'tracing/spans.ts',
  ['tracing/spans.test.ts'],
  [
    ['exports what its caller does not want kept', 'if (!place.isSampled) return [];', ''],
    [
      'hangs attempts on the caller',
      'parentSpanId: generationSpanId(live.id)',
      "parentSpanId: place.parentSpanId ?? ''",
    ],
    ['puts prompts into every trace', 'options.prompts && promptAttributes', 'promptAttributes'],
    [
      'tells the words of a provider',
      "{ 'onetake.target': event.target, 'onetake.kind': event.kind }",
      "{ 'onetake.target': event.target, 'onetake.kind': event.kind, reason: event.reason }",
    ],
    ['holds every look at a job', 'inOrder.slice(0, MAX_EVENTS)', 'inOrder'],
  ],
);

const log = defects(
  'gateway',
  'log/redact.ts',
  ['log/log.test.ts'],
  [
    ['logs the query of an address', "'$1?…'],", "'$&'],"],
    [
      'logs what stands in a header far inside',
      'SECRET_FIELD.test(name) ? CENSORED : clean(inner, depth + 1)',
      'clean(inner, depth + 1)',
    ],
    ['logs all that hangs on an error', '...Object.fromEntries(told),', '...given,'],
    ['logs a picture', "'[base64]'", "'$&'"],
  ],
);

const measured = defects(
  'gateway',
  'tracing/measured.ts',
  ['tracing/measured.test.ts'],
  [['counts a bucket in every one above it', 'value - (sums[index] ?? 0)', 'value']],
);

const interrupted = defects(
  'gateway',
  'chat/interrupted.ts',
  ['chat/interrupted.test.ts'],
  [['tells of an end that may be lost', '.then(told)', '.finally(told)']],
);

export const TELEMETRY_MUTANTS: readonly Mutant[] = [
  ...traceHeaders,
  ...traceContext,
  ...spans,
  ...log,
  ...measured,
  ...interrupted,
];
