import { rm, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { resolve } from 'node:path';
import { isObject, type JsonObject, type JsonValue } from '@onetake/core';
import type { Command } from 'commander';
import { loadConfig } from '../../config.ts';
import { explain } from '../../explain/explain.ts';
import { bundle, configSummary } from '../../trace/bundle.ts';
import { objectAt, textAt } from '../../trace/words.ts';
import { type Ask, withGateway } from '../ask.ts';
import { rowsOf } from '../cells.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT, messageOf } from '../exit.ts';
import { findGeneration } from '../find-generation.ts';
import { bytesText, oneLine } from '../text.ts';

export interface ReportOptions {
  readonly output?: string;
  readonly withPrompt?: boolean;
}

/** Describes `onetake report`. */
export function describeReport(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
  version: string,
): void {
  command
    .description('write what support needs to know of a generation into one file, without keys and without prompts')
    .option('-o, --output <file>', 'where to write; default: report-<id>.json here')
    .option('--with-prompt', 'with the prompts in it')
    .action((id: string, options: ReportOptions) => run(report(context, id, options, version)));
}

/** Writes a report that only its owner may read, and says what is in it. */
export async function report(
  context: CliContext,
  id: string,
  { output, withPrompt = false }: ReportOptions,
  version: string,
): Promise<number> {
  const { cwd, env, stdout, stderr } = context;
  const parts = await withGateway(context, (ask) => gathered(ask, context, id), { prefersAdmin: true });
  const versions = { onetake: version, node: process.version, os: `${process.platform} ${release()} ${process.arch}` };
  const made = bundle({ ...parts, versions, at: Date.now() }, { withPrompt, env });
  const path = resolve(cwd, output ?? `report-${String(parts.generation.id)}.json`);
  const text = `${JSON.stringify(made, undefined, 2)}\n`;
  await rm(path, { force: true });
  await writeFile(path, text, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    throw new CliError(`${path}: cannot be written (${messageOf(error)})`);
  });
  stderr.write(`${contents(made, withPrompt)}\n`);
  stdout.write(`${path} (${bytesText(Buffer.byteLength(text))})\n`);
  return EXIT.ok;
}

function contents({ failures, notes }: JsonObject, withPrompt: boolean): string {
  const same = Array.isArray(failures) ? failures.length : 0;
  const prompts = withPrompt
    ? 'The prompts ARE in it.'
    : 'Prompts are told by length and SHA-256 alone, also where a provider repeats them.';
  const missing = Array.isArray(notes) && notes.length > 0 ? `\nNot in it: ${notes.map(String).join('; ')}.` : '';
  return `In it: versions, the configuration without keys, the generation with its timeline, the state of all targets, ${same === 1 ? '1 group' : `${same} groups`} of the same failure, what is known of the error.\n${prompts} No keys, no pictures and no links to them.${missing}`;
}

async function gathered(ask: Ask, context: CliContext, id: string) {
  const generation = await findGeneration(ask, id);
  const notes: string[] = [];
  const optional = async (what: string, path: string): Promise<JsonObject | null> =>
    ask('GET', path).catch((error: unknown) => {
      notes.push(`${what} (${oneLine(messageOf(error), 200)})`);
      return null;
    });
  const targets = await optional('the state of the targets', '/v1/targets');
  const failures = await optional('earlier failures', '/v1/failures?since=7d&limit=1000');
  const config = await configOf(ask, context, notes);
  return {
    ...{ generation, config, targets: targets?.data ?? null, notes },
    failures: failures ? rowsOf(failures).filter((group) => isSame(group, generation)) : [],
    explained: explained(generation),
  };
}

/** The gateway's own word, which only administrators get; else what is configured here, where that is the same. */
async function configOf(ask: Ask, { env, cwd }: CliContext, notes: string[]): Promise<JsonValue> {
  try {
    return await ask('GET', '/v1/config');
  } catch (error) {
    if (!env.ONETAKE_URL) return configSummary(loadConfig({ env, cwd }));
    notes.push(`the configuration (${oneLine(messageOf(error), 200)})`);
    return null;
  }
}

/** Of the same target, kind and code as an attempt of this generation. */
function isSame(group: JsonObject, { ledger }: JsonObject): boolean {
  const lines = Array.isArray(ledger) ? ledger.filter(isObject) : [];
  return lines.some(
    (line) =>
      line.kind !== undefined &&
      line.kind === group.kind &&
      (line.target ?? null) === (group.target ?? null) &&
      (line.code ?? null) === (group.code ?? null),
  );
}

function explained(generation: JsonObject): JsonValue {
  const failure = objectAt(generation, 'failure');
  const message = textAt(failure, 'message');
  if (message === undefined) return null;
  const { known, found } = explain(`${textAt(failure, 'code') ?? ''} ${message}`);
  const entries = found.map(({ entry, confidence }) => ({ id: entry.id, confidence, meaning: entry.meaning }));
  return { known, found: entries };
}
