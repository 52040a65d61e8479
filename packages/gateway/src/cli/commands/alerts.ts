import type { JsonObject } from '@onetake/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { amountText } from '../../alerts/amounts.ts';
import { parseDuration } from '../../alerts/durations.ts';
import type { Unit } from '../../alerts/rules.ts';
import { withGateway } from '../ask.ts';
import { rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { columns, oneLine } from '../text.ts';

export interface AlertListOptions {
  readonly json?: boolean;
}

export interface AlertTestOptions extends AlertListOptions {
  readonly channel?: string;
}

export interface SilenceOptions extends AlertListOptions {
  /** Minutes; 0 ends it. */
  readonly for: number;
  readonly subject?: string;
}

const MINUTE_MS = 60_000;
const MAX_MINUTES = 10_080;
const USUAL_SILENCE_MINUTES = 120;
const MAX_MESSAGE_CHARACTERS = 100;

/** Adds `list`, `test` and `silence` to the command `alerts`. */
export function describeAlerts(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('see what is wrong now; try the channels that are told of it; silence a rule');
  command
    .command('list', { isDefault: true })
    .description('every rule, and what it found')
    .option('--json', "print the gateway's JSON")
    .action((options: AlertListOptions) => run(listAlerts(context, options)));
  command
    .command('test')
    .description('send a test to every channel, and say what each answered')
    .option('--channel <name>', 'to this one alone')
    .option('--json', "print the gateway's JSON")
    .action((options: AlertTestOptions) => run(testAlerts(context, options)));
  command
    .command('silence <rule>')
    .description('send nothing of a rule for a while; what still holds when it ends is told once')
    .addOption(
      new Option('--for <duration>', 'how long, such as 30m, 2h or 7d; 0m ends it')
        .argParser(minutes)
        .default(USUAL_SILENCE_MINUTES, '2h'),
    )
    .option('--subject <subject>', 'of this target or key alone')
    .option('--json', "print the gateway's JSON")
    .action((rule: string, options: SilenceOptions) => run(silenceAlerts(context, rule, options)));
}

export async function listAlerts(context: CliContext, { json }: AlertListOptions): Promise<number> {
  const body = await withGateway(context, (ask) => ask('GET', '/v1/alerts'), { prefersAdmin: true });
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${table(rowsOf(body))}\n${channelsText(body)}\n`);
  return EXIT.ok;
}

/** Fails where a channel did not take it, so that a script sees it. */
export async function testAlerts(context: CliContext, { channel, json }: AlertTestOptions): Promise<number> {
  const wanted = channel === undefined ? {} : { channel };
  const body = await withGateway(context, (ask) => ask('POST', '/v1/alerts/test', wanted), { prefersAdmin: true });
  const results = rowsOf({ data: body.results ?? [] });
  if (results.length === 0)
    throw new CliError(
      'alerts.channels of onetake.yaml has no channel yet; docs/guide/alerts.md shows one of each kind',
    );
  const lines = results.map((one) => [textCell(one.channel), resultText(one)]);
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${columns(lines)}\n`);
  return results.every(({ ok }) => ok === true) ? EXIT.ok : EXIT.failed;
}

export async function silenceAlerts(context: CliContext, rule: string, options: SilenceOptions): Promise<number> {
  const { subject, json } = options;
  const wanted = { rule, minutes: options.for, ...(subject !== undefined && { subject }) };
  const row = await withGateway(context, (ask) => ask('POST', '/v1/alerts/silence', wanted), { prefersAdmin: true });
  const about = subject === undefined ? rule : `${rule} of ${subject}`;
  const until = row.silenced_until;
  const told = typeof until === 'number' ? `is silent until ${timeCell(until)}` : 'is told again';
  context.stdout.write(json ? `${JSON.stringify(row)}\n` : `${oneLine(about, 100)} ${told}\n`);
  return EXIT.ok;
}

function resultText({ ok, status, error }: JsonObject): string {
  if (ok === true) return `took it (${typeof status === 'number' ? status : '-'})`;
  return `did not take it: ${typeof error === 'string' ? oneLine(error, MAX_MESSAGE_CHARACTERS) : 'no reason told'}`;
}

function table(rows: readonly JsonObject[]): string {
  return columns([
    ['rule', 'about', 'state', 'value', 'since', 'what'],
    ...rows.map((row) => [
      textCell(row.rule),
      textCell(row.subject === '' ? null : row.subject),
      stateText(row),
      valueText(row),
      timeCell(row.since),
      typeof row.message === 'string' ? oneLine(row.message, MAX_MESSAGE_CHARACTERS) : '-',
    ]),
  ]);
}

function stateText({ state, severity, silenced_until: until }: JsonObject): string {
  const grave = typeof severity === 'string' && state !== 'ok' ? ` (${severity})` : '';
  const silent = typeof until === 'number' ? `, silent until ${timeCell(until)}` : '';
  return `${textCell(state)}${grave}${silent}`;
}

const UNITS: readonly Unit[] = ['share', 'ms', 'count', 'days'];

function valueText({ value, unit: told }: JsonObject): string {
  const unit = UNITS.find((one) => one === told);
  return typeof value === 'number' && unit !== undefined ? amountText(value, unit) : '-';
}

function channelsText({ channels }: JsonObject): string {
  const names = Array.isArray(channels) ? rowsOf({ data: channels }).map(({ name, kind }) => `${name} (${kind})`) : [];
  return names.length === 0
    ? 'told to nobody: alerts.channels of onetake.yaml has no channel'
    : oneLine(`told to ${names.join(', ')}`, 500);
}

function minutes(text: string): number {
  const ms = parseDuration(text);
  const value = ms === undefined ? Number.NaN : ms / MINUTE_MS;
  if (Number.isInteger(value) && value <= MAX_MINUTES) return value;
  throw new InvalidArgumentError(
    'expected whole minutes, hours or days up to 7d, such as 30m or 2h; 0m ends a silence',
  );
}
