import type { JsonObject } from '@onetake/core';
import { bytesText, columns, count, priceText } from '../cli/text.ts';
import { eventWords, failureWords } from './event-words.ts';
import { attemptStages, waterfallLines } from './waterfall.ts';
import { joined, listAt, msText, numberAt, objectAt, textAt } from './words.ts';

/**
 * A generation as `GET /v1/generations/{id}` has it, told in lines: what was asked, what happened when and why, where
 * the time went, what it cost, and what its caller was told. Nothing from outside can move the cursor.
 */
export function traceText(view: JsonObject): string {
  const sections = [
    headLines(view),
    titled('timeline', timelineLines(view)),
    titled('where the time went', timeLines(view)),
    titled('what was changed for the model', adaptationLines(view)),
    titled('pictures', pictureLines(view)),
    titled('money', moneyLines(view)),
    titled('answer', answerLines(view)),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines];
}

function headLines(view: JsonObject): readonly string[] {
  const created = numberAt(view, 'created_at');
  const finished = numberAt(view, 'finished_at');
  const place = objectAt(view, 'place');
  const facts = [
    ['generation', textAt(view, 'id')],
    [
      'status',
      joined([
        textAt(view, 'status'),
        created !== undefined && finished !== undefined ? `after ${msText(finished - created)}` : undefined,
      ]),
    ],
    [
      'asked',
      joined([
        textAt(view, 'endpoint'),
        created === undefined ? undefined : new Date(created).toISOString(),
        textAt(view, 'caller'),
      ]),
    ],
    ['route', joined([textAt(view, 'route'), targetsOf(view)], ' → ')],
    ['prompt', textAt(view, 'prompt', 200)],
    ['request id', textAt(view, 'request_id')],
    ['regenerated from', textAt(view, 'regenerated_from')],
    [
      'passed over',
      listAt(view, 'passed_over')
        .map((one) => joined([textAt(one, 'target'), textAt(one, 'reason')], ': '))
        .join('; '),
    ],
    ['waits', place && `in the queue of ${textAt(place, 'queue') ?? '?'}, as ${textAt(place, 'priority') ?? '?'}`],
  ];
  const told = facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
  return [columns(told)];
}

function targetsOf({ targets }: JsonObject): string | undefined {
  return Array.isArray(targets) ? targets.filter((one) => typeof one === 'string').join(', ') : undefined;
}

function timelineLines(view: JsonObject): readonly string[] {
  const entries = listAt(view, 'timeline').map((event) => ({ event, ms: `+${msText(numberAt(event, 'ms') ?? 0)}` }));
  const delivered = numberAt(view, 'delivered_at');
  const created = numberAt(view, 'created_at') ?? 0;
  const last =
    delivered === undefined
      ? []
      : [{ ms: `+${msText(delivered - created)}`, line: 'the answer reached its caller', more: [] }];
  const told = [
    { ms: '+0 ms', line: 'the request arrived', more: [] },
    ...entries.map(({ event, ms }) => ({ ms, ...withRun(event, eventWords(event)) })),
    ...last,
  ];
  const width = Math.max(...told.map(({ ms }) => ms.length));
  return told.flatMap(({ ms, line, more }) => [
    `  ${ms.padStart(width)}  ${line}`,
    ...more.map((one) => `  ${' '.repeat(width)}    ${one}`),
  ]);
}

/** Of a generation of several calls every line says which one it is of. */
function withRun(event: JsonObject, words: ReturnType<typeof eventWords>) {
  const run = numberAt(event, 'run');
  return run === undefined ? words : { ...words, line: `run ${run}: ${words.line}` };
}

function timeLines(view: JsonObject): readonly string[] {
  const attempts = attemptStages(view);
  const many = new Set(attempts.map(({ run }) => run)).size > 1;
  return attempts.flatMap(({ run, attempt, target, stages }) => [
    `  ${many ? `run ${run}, ` : ''}attempt ${attempt} at ${target}`,
    ...waterfallLines(stages, '    '),
  ]);
}

function adaptationLines(view: JsonObject): readonly string[] {
  const changed = listAt(view, 'adapted').filter(({ action }) => action !== 'kept');
  return changed.map((one) => {
    const [field, from, to, reason] = [
      textAt(one, 'field') ?? '?',
      textAt(one, 'from'),
      textAt(one, 'to'),
      textAt(one, 'reason'),
    ];
    const what =
      one.action === 'mapped'
        ? `${field}: ${from ?? 'what was asked for'} became ${to ?? 'something else'}`
        : `${field}: ${from ?? 'what was asked for'} was left out`;
    return `  ${what}${reason === undefined ? '' : `, because ${reason}`}`;
  });
}

function pictureLines(view: JsonObject): readonly string[] {
  const rows = [...listAt(view, 'images'), ...listAt(view, 'set_aside')].map((image) => [
    `${numberAt(image, 'width') ?? '?'}x${numberAt(image, 'height') ?? '?'}`,
    textAt(image, 'type') ?? '-',
    bytesText(numberAt(image, 'bytes') ?? 0),
    joined([
      textAt(image, 'url'),
      numberAt(image, 'seed') === undefined ? undefined : `seed ${numberAt(image, 'seed')}`,
      ...listAt(image, 'suspect').map((one) => `doubted: ${textAt(one, 'code') ?? '?'}`),
    ]),
  ]);
  return rows.length === 0 ? [] : [columns(rows, '  ')];
}

function moneyLines(view: JsonObject): readonly string[] {
  const price = numberAt(view, 'price_usd');
  const possible = numberAt(view, 'possible_charges') ?? 0;
  const lines = listAt(view, 'ledger').map((line) => [
    joined(
      [numberAt(line, 'attempt') ? `attempt ${numberAt(line, 'attempt')}` : undefined, textAt(line, 'role')],
      ', ',
    ),
    textAt(line, 'target') ?? '-',
    spentText(line),
    `priced: ${textAt(line, 'priced') ?? 'unknown'}`,
  ]);
  const sum = joined([
    price === undefined && possible > 0
      ? undefined
      : `${priceText(price)} (${textAt(view, 'price_basis') ?? 'unknown'})`,
    possible > 0
      ? `${price === undefined ? '' : 'and '}${count(possible, 'possible charge')}, ${priceText(numberAt(view, 'possible_usd'))}`
      : undefined,
    textAt(view, 'settled') && `settled as ${textAt(view, 'settled')}`,
  ]);
  return [...(lines.length > 0 ? [columns(lines, '  ')] : []), `  together ${sum}`];
}

function spentText(line: JsonObject): string {
  const { spent_usd: spent, possible_usd: possible } = line;
  if (possible !== 0 && possible !== undefined) return `possibly ${priceText(numberAt(line, 'possible_usd'))}`;
  return spent === 0 ? 'nothing' : priceText(numberAt(line, 'spent_usd'));
}

function answerLines(view: JsonObject): readonly string[] {
  const failure = objectAt(view, 'failure');
  if (failure === undefined)
    return view.status === 'completed' ? ['  HTTP 200'] : ['  none yet: it is still being worked on'];
  const answer = objectAt(failure, 'answer');
  const status = numberAt(answer, 'status');
  return [
    `  HTTP ${status ?? '?'}, code ${textAt(answer, 'code') ?? '?'}, type ${textAt(answer, 'type') ?? '?'}, billed: ${textAt(failure, 'billed') ?? '?'}`,
    ...failureWords(failure).map((line) => `  ${line}`),
    ...(textAt(failure, 'advice') ? [`  what to do: ${textAt(failure, 'advice', 500)}`] : []),
  ];
}
