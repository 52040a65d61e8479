import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { oneLine } from '../cli/text.ts';
import { joined, msText, numberAt, objectAt, textAt } from './words.ts';

/** An event of a timeline in words. */
export interface EventWords {
  readonly line: string;
  /** Beneath it, one line each. */
  readonly more: readonly string[];
}

/** One entry of `timeline`, as `GET /v1/generations/{id}` has it; an unknown one is told by its name. */
export function eventWords(event: JsonObject): EventWords {
  const type = textAt(event, 'type', 40) ?? 'event';
  const words = WORDS[type];
  return words ? words(event) : { line: type.replaceAll('-', ' '), more: [] };
}

const WORDS: Readonly<Record<string, (event: JsonObject) => EventWords>> = {
  'attempt-started': (event) =>
    plain(
      `${attemptOf(event)} starts at ${textAt(event, 'target') ?? '?'}`,
      textAt(event, 'credential') && `with the key or host ${textAt(event, 'credential')}`,
      event.free === true ? 'which bills nothing' : undefined,
    ),
  'attempt-ended': attemptEnded,
  'handle-received': (event) => ({
    line: joined([`${attemptOf(event)} was taken on as a job`, progressOf(event)]),
    more: [`job ${jsonLine(event.handle)}`],
  }),
  polled: (event) => {
    const failure = objectAt(event, 'failure');
    return {
      line: joined([`${attemptOf(event)} was looked at`, progressOf(event)]),
      more: failure ? failureWords(failure) : [],
    };
  },
  'partial-sent': (event) =>
    plain(`preview ${(numberAt(event, 'index') ?? 0) + 1} went to the caller`, textAt(event, 'asset')),
  'answer-begun': () => plain('the first words of the answer went to the caller'),
  'mask-converted': (event) =>
    plain(
      `the mask was put into the model's terms, with ${textAt(event, 'mark') ?? '?'} as the mark`,
      textAt(event, 'asset'),
    ),
  'clock-fired': (event) => {
    const failure = objectAt(event, 'failure');
    return {
      line: `the clock "${textAt(event, 'clock') ?? '?'}" ran out: the caller waits no longer, and the attempt stays open`,
      more: failure ? failureWords(failure) : [],
    };
  },
  'target-skipped': (event) => plain(`${textAt(event, 'target') ?? '?'} is passed over`, textAt(event, 'reason')),
  waiting: (event) => {
    const [until, at] = [numberAt(event, 'until'), numberAt(event, 'at')];
    const long =
      until !== undefined && at !== undefined && until < FAR ? ` for ${msText(Math.max(0, until - at))}` : '';
    return plain(`waits for ${textAt(event, 'target') ?? '?'}${long}`, textAt(event, 'reason'));
  },
  'rung-taken': (event) => ({
    line: joined([
      `after the refusal of ${attemptOf(event)}: ${textAt(event, 'told') ?? textAt(event, 'rung') ?? '?'}`,
    ]),
    more: [
      ...(textAt(event, 'by')
        ? [`words of ${textAt(event, 'by')}, generation ${textAt(event, 'generation') ?? '-'}`]
        : []),
      ...(textAt(event, 'failed') ? [`came to nothing: ${textAt(event, 'failed')}`] : []),
    ],
  }),
  finished: (event) => ({ line: event.ok === true ? 'finished' : 'finished without a result', more: [] }),
};

/** Beyond any date. */
const FAR = 8.64e15;

function attemptEnded(event: JsonObject): EventWords {
  const failure = objectAt(event, 'failure');
  const status = numberAt(event, 'status');
  const [certainty, kind] = [textAt(failure, 'certainty'), textAt(failure, 'kind')];
  const pictures = Array.isArray(event.images) ? event.images.length : 0;
  return {
    line: joined([
      failure
        ? `${attemptOf(event)} failed: ${kind}, ${CERTAINTIES[certainty ?? ''] ?? certainty}`
        : `${attemptOf(event)} made what was asked for`,
      status === undefined ? undefined : `HTTP ${status}`,
    ]),
    more: [
      ...(failure ? failureWords(failure) : []),
      ...(pictures > 0 && Array.isArray(event.images)
        ? event.images.map((image) => `picture ${oneLine(String(image), 200)}`)
        : []),
      ...missingWords(event.missing),
      ...(event.usage === undefined ? [] : [`usage ${jsonLine(event.usage)}`]),
      ...(textAt(event, 'request_id') ? [`provider's request id ${textAt(event, 'request_id')}`] : []),
      ...headerWords(event.headers),
    ],
  };
}

/** What is known of the work, as people say it. */
const CERTAINTIES: Readonly<Record<string, string>> = {
  not_sent: 'provably never sent',
  rejected: 'refused without any work',
  failed: 'tried and failed at the provider',
  ambiguous: 'sent, and nobody knows whether the work was done',
  completed: 'made, and not usable',
};

/** The words, the rule that read them, and when it may be tried again. */
export function failureWords(failure: JsonObject): readonly string[] {
  const clock = objectAt(failure, 'clock');
  return [
    ...(textAt(failure, 'message') ? [`"${textAt(failure, 'message')}"`] : []),
    ...(textAt(failure, 'classified_by') ? [`classified by ${textAt(failure, 'classified_by')}`] : []),
    ...(clock
      ? [`clock ${textAt(clock, 'name')} of ${msText(numberAt(clock, 'after_ms') ?? 0)} (${textAt(clock, 'setting')})`]
      : []),
    ...(textAt(failure, 'code') ? [`provider's code ${textAt(failure, 'code')}`] : []),
    ...(numberAt(failure, 'not_before') === undefined
      ? []
      : [`not before ${instant(numberAt(failure, 'not_before') ?? 0)}`]),
  ];
}

function missingWords(missing: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(missing)) return [];
  return missing
    .filter(isObject)
    .map((failure) => `missing: ${joined([textAt(failure, 'kind'), textAt(failure, 'message')], ': ')}`);
}

function headerWords(headers: JsonValue | undefined): readonly string[] {
  if (!isObject(headers)) return [];
  return Object.entries(headers).map(([name, value]) => `  ${oneLine(name, 60)}: ${oneLine(String(value), 200)}`);
}

function plain(line: string, ...more: readonly (string | undefined)[]): EventWords {
  return { line, more: more.filter((one) => one !== undefined) };
}

function attemptOf(event: JsonObject): string {
  return `attempt ${numberAt(event, 'attempt') ?? '?'}`;
}

function progressOf(event: JsonObject): string {
  const progress = numberAt(event, 'progress');
  return joined([
    textAt(event, 'stage')?.replaceAll('_', ' '),
    progress === undefined ? undefined : `${Math.round(progress)} %`,
  ]);
}

export function jsonLine(value: JsonValue | undefined): string {
  return oneLine(JSON.stringify(value ?? null), 300);
}

function instant(at: number): string {
  return Math.abs(at) < FAR ? new Date(at).toISOString() : String(at);
}
