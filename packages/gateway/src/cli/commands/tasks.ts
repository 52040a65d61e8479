import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import { type Command, Option } from 'commander';
import { withGateway } from '../ask.ts';
import { rowsOf, textCell, timeCell } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { whole } from '../option-values.ts';
import { columns, durationText, oneLine, priceText } from '../text.ts';

export interface TaskListOptions {
  readonly status?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export interface TaskOptions {
  readonly wait?: number;
  readonly json?: boolean;
}

const STATUSES = ['pending', 'processing', 'completed', 'failed', 'canceled'];
/** What a gateway waits at most in one answer, below the time the command gives it. */
const MAX_WAIT_SECONDS = 50;

/** Adds `list`, `show` and `cancel` to the command `tasks`. */
export function describeTasks(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('see tasks and how far they are, or cancel one');
  command
    .command('list', { isDefault: true })
    .description('list tasks, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(STATUSES))
    .option('--limit <n>', 'how many at most', whole(1, 1_000), 20)
    .option('--json', "print the gateway's JSON")
    .action((options: TaskListOptions) => run(listTasks(context, options)));
  command
    .command('show <id>')
    .description('one task: how far it is, its pictures or its failure')
    .option('--wait <seconds>', 'for its end, at most so long', whole(1, MAX_WAIT_SECONDS))
    .option('--json', "print the gateway's JSON")
    .action((id: string, options: TaskOptions) => run(showTask(context, id, options)));
  command
    .command('cancel <id>')
    .description('end a task, also at its provider where that can be')
    .option('--json', "print the gateway's JSON")
    .action((id: string, options: TaskOptions) => run(cancelTask(context, id, options)));
}

export async function listTasks(context: CliContext, { status, limit, json }: TaskListOptions): Promise<number> {
  const query = new URLSearchParams({ limit: String(limit), ...(status !== undefined && { status }) });
  const body = await withGateway(context, (ask) => ask('GET', `/v1/tasks?${query}`));
  const rows = rowsOf(body);
  context.stdout.write(json ? `${JSON.stringify(body)}\n` : `${table(rows)}\n`);
  return EXIT.ok;
}

export async function showTask(context: CliContext, id: string, { wait, json }: TaskOptions): Promise<number> {
  const query = wait === undefined ? '' : `?wait=${wait}`;
  const task = await withGateway(context, (ask) => ask('GET', `/v1/tasks/${encodeURIComponent(id)}${query}`));
  context.stdout.write(json ? `${JSON.stringify(task)}\n` : `${details(task)}\n`);
  return EXIT.ok;
}

export async function cancelTask(context: CliContext, id: string, { json }: TaskOptions): Promise<number> {
  const task = await withGateway(context, (ask) => ask('DELETE', `/v1/tasks/${encodeURIComponent(id)}`));
  const isOver = task.status !== 'processing' && task.status !== 'pending';
  const said = isOver ? `is ${textCell(task.status)}` : 'was asked to end; its provider has not said so yet';
  context.stdout.write(json ? `${JSON.stringify(task)}\n` : `${oneLine(id, 100)} ${said}\n`);
  return EXIT.ok;
}

function table(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no tasks';
  return columns([
    ['task', 'created', 'model', 'status', 'progress'],
    ...rows.map((row) => [
      textCell(row.id),
      secondsCell(row.created),
      textCell(row.model),
      isObject(row.error) ? `${textCell(row.status)}: ${textCell(row.error.code)}` : textCell(row.status),
      typeof row.progress === 'number' ? `${row.progress} %` : '-',
    ]),
  ]);
}

function details(task: JsonObject): string {
  const { queue, error, data, onetake } = task;
  const eta = isObject(queue) && typeof queue.eta_ms === 'number' ? `, about ${durationText(queue.eta_ms)} left` : '';
  const place = isObject(queue) && typeof queue.position === 'number' ? ` (place ${queue.position}${eta})` : '';
  const links = Array.isArray(data) ? data.filter(isObject).map(({ url }) => textCell(url, 300)) : [];
  const price = isObject(onetake) && typeof onetake.price_usd === 'number' ? onetake.price_usd : undefined;
  return columns([
    ['task', textCell(task.id)],
    ['model', textCell(task.model)],
    ['status', `${textCell(task.status)}${place}`],
    ...(typeof task.progress === 'number' ? [['progress', `${task.progress} %`]] : []),
    ['created', secondsCell(task.created)],
    ...(price === undefined ? [] : [['price', priceText(price)]]),
    ...links.map((link) => ['picture', link]),
    ...(isObject(error) ? [['error', `${textCell(error.code)}: ${textCell(error.message, 300)}`]] : []),
    ...(isObject(onetake) && typeof onetake.advice === 'string' ? [['advice', oneLine(onetake.advice)]] : []),
  ]);
}

/** Epoch seconds, as OpenAI tells time. */
function secondsCell(value: JsonValue | undefined): string {
  return timeCell(typeof value === 'number' ? value * 1000 : undefined);
}
