import { isObject, type JsonObject } from '@onetake/core';
import { withGateway } from '../ask.ts';
import { numberCell, textCell, timeCell } from '../cells.ts';
import { chargeText } from '../charge.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { columns } from '../text.ts';

/** Prints what became of one generation. */
export async function showGeneration(
  context: CliContext,
  id: string,
  { json }: { readonly json?: boolean },
): Promise<number> {
  const view = await withGateway(context, (ask) => ask('GET', `/v1/generations/${encodeURIComponent(id)}`), {
    prefersAdmin: true,
  });
  context.stdout.write(json ? `${JSON.stringify(view)}\n` : `${details(view)}\n`);
  return EXIT.ok;
}

function details(view: JsonObject): string {
  const { images, failure } = view;
  const pictures = Array.isArray(images) ? images.filter(isObject) : [];
  const paid = numberCell(view.paid_attempts);
  return columns([
    ['generation', textCell(view.id)],
    ['status', textCell(view.status)],
    ['model', textCell(view.target ?? view.route)],
    ['prompt', textCell(view.prompt, 100)],
    ['created', `${timeCell(view.created_at)} UTC`],
    ...(typeof view.finished_at === 'number' ? [['finished', `${timeCell(view.finished_at)} UTC`]] : []),
    ['attempts', `${numberCell(view.attempts)} (${paid} paid, or possibly)`],
    ['charge', chargeText(view)],
    ...(typeof view.settled === 'string' ? [['settled', `as ${textCell(view.settled)}`]] : []),
    ...pictures.map(({ url }) => ['picture', textCell(url, 300)]),
    ...(isObject(failure) ? failureLines(failure, view.settled === undefined) : []),
  ]);
}

/** Once it is settled there is nothing left to do. */
function failureLines(
  { message, advice, answer, request_id: requestId }: JsonObject,
  isOpen: boolean,
): readonly (readonly string[])[] {
  const code = isObject(answer) ? textCell(answer.code) : '-';
  return [
    ['failure', `${code}: ${textCell(message, 300)}`],
    ...(typeof requestId === 'string' ? [['request id', textCell(requestId)]] : []),
    ...(isOpen ? [['advice', textCell(advice, 300)]] : []),
  ];
}
