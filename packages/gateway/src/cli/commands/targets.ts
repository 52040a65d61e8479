import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { Command } from 'commander';
import { withGateway } from '../ask.ts';
import { numberCell, rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { columns, durationText, oneLine } from '../text.ts';

export interface TargetsOptions {
  readonly json?: boolean;
}

const ACTIONS = {
  reset: 'close the breakers of a target and of its keys now, so that it is asked again',
  drain: 'let nothing new go to a target until it is resumed; what is in flight goes on',
  resume: 'let requests go to a drained target again',
} as const;

type Action = keyof typeof ACTIONS;

/** Adds `list`, `show`, `reset`, `drain` and `resume` to the command `targets`. */
export function describeTargets(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('see how the targets are; reset a breaker, drain one, resume it');
  command
    .command('list', { isDefault: true })
    .description('every target that was asked, with its breaker, limits and queue')
    .option('--json', "print the gateway's JSON")
    .action((options: TargetsOptions) => run(listTargets(context, undefined, options)));
  command
    .command('show <target>')
    .description('one target (provider/model), or all of one provider')
    .option('--json', "print the gateway's JSON")
    .action((target: string, options: TargetsOptions) => run(listTargets(context, target, options)));
  for (const action of Object.keys(ACTIONS) as Action[]) {
    command
      .command(`${action} <target>`)
      .description(ACTIONS[action])
      .option('--json', "print the gateway's JSON")
      .action((target: string, options: TargetsOptions) => run(actOnTarget(context, action, target, options)));
  }
}

/** Prints the targets, or those of this name or provider. */
export async function listTargets(context: CliContext, name: string | undefined, { json }: TargetsOptions) {
  const body = await withGateway(context, (ask) => ask('GET', '/v1/targets'), { prefersAdmin: true });
  const every = rowsOf(body);
  const rows = name === undefined ? every : every.filter(({ id }) => isNamed(String(id), name));
  if (name !== undefined && rows.length === 0)
    throw new CliError(`${oneLine(name, 100)}: nothing was asked of it since the gateway started`);
  const text = name === undefined ? table(rows) : rows.map(details).join('\n\n');
  context.stdout.write(json ? `${JSON.stringify({ ...body, data: rows })}\n` : `${text}\n`);
  return EXIT.ok;
}

export async function actOnTarget(context: CliContext, action: Action, target: string, { json }: TargetsOptions) {
  const path = target.split('/').map(encodeURIComponent).join('/');
  const body = await withGateway(context, (ask, { own }) => {
    // One of our own ends with this command, and its breakers with it.
    if (own && action === 'reset') throw new CliError('no gateway is running, so no breaker is open');
    return ask('POST', `/v1/targets/${path}/${action}`);
  });
  const done = {
    reset: 'is asked again: its breakers are closed',
    drain: 'takes nothing new',
    resume: 'takes requests again',
  }[action];
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${oneLine(target, 100)} ${done}\n`);
  return EXIT.ok;
}

function isNamed(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}/`);
}

function table(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'nothing was asked of any target since the gateway started';
  return columns([
    ['target', 'key', 'breaker', 'in flight', 'waiting', 'limits', 'last success', 'last failure'],
    ...rows.map((row) => [
      textCell(row.id),
      textCell(row.credential),
      stateOf(row),
      numberCell(row.in_flight),
      numberCell(row.waiting),
      limitsText(row),
      timeCell(row.last_success_at),
      timeCell(row.last_failure_at),
    ]),
  ]);
}

/** What keeps requests away from it, first of all that somebody took it out. */
function stateOf(row: JsonObject): string {
  if (row.drained === true) return 'drained';
  if (typeof row.credential_breaker === 'string' && row.credential_breaker !== 'closed')
    return `key ${row.credential_breaker.replace('_', '-')}`;
  return textCell(row.breaker).replace('_', '-');
}

function details(row: JsonObject): string {
  const until = typeof row.available_at === 'number' ? row.available_at : undefined;
  const left = until === undefined ? undefined : Math.max(0, until - Date.now());
  const lines: readonly (readonly [string, string])[] = [
    ['target', textCell(row.id)],
    ['key', textCell(row.credential)],
    ['breaker', stateOf(row)],
    ...(left === undefined ? [] : [['available', `in ${durationText(left)} (${timeCell(until)})`] as const]),
    ...(typeof row.reason === 'string' ? [['reason', oneLine(row.reason, 300)] as const] : []),
    ['in flight', numberCell(row.in_flight)],
    ['waiting', numberCell(row.waiting)],
    ['limits', limitsText(row)],
    ['last success', timeCell(row.last_success_at)],
    ['last failure', timeCell(row.last_failure_at)],
  ];
  return columns(lines);
}

function limitsText({ limits, limits_source: source }: JsonObject): string {
  if (!isObject(limits) || Object.keys(limits).length === 0) return '-';
  const parts = Object.entries(limits).map(
    ([name, value]) => `${name} ${Array.isArray(value) ? value.map(rateText).join(' ') : value}`,
  );
  return oneLine(`${parts.join(', ')}${typeof source === 'string' ? ` (${source})` : ''}`, 80);
}

/** `500/1 min`: at most so many in any such time. */
function rateText(rate: JsonValue): string {
  const { count, window_ms: windowMs } = isObject(rate) ? rate : {};
  return typeof count === 'number' && typeof windowMs === 'number' ? `${count}/${durationText(windowMs)}` : '?';
}
