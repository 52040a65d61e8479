import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type LimitRule, parseLimit, startSandbox } from '@onetake/sandbox';
import type { CliContext } from '../context.ts';
import { CliError, codeOf, EXIT, messageOf } from '../exit.ts';
import { untilAborted } from '../interrupts.ts';
import { columns } from '../text.ts';

export interface SandboxCommandOptions {
  readonly port: number;
  /** Where the bill is kept; absent, it ends with the command. */
  readonly data?: string;
  readonly limit?: string;
  readonly silent?: boolean;
}

/** Runs the failing provider alone, for tests of other people's applications. */
export async function sandbox(context: CliContext, options: SandboxCommandOptions): Promise<number> {
  const { port, silent = false } = options;
  const limit = options.limit === undefined ? undefined : readLimit(options.limit);
  const dataDir = options.data === undefined ? undefined : resolve(context.cwd, options.data);
  const temporary = dataDir === undefined ? await mkdtemp(join(tmpdir(), 'onetake-sandbox-')) : undefined;
  try {
    const settings = { port, dataDir: dataDir ?? temporary ?? '', silentLimit: silent, ...(limit && { limit }) };
    const running = await startSandbox(settings).catch((error: unknown) => {
      if (codeOf(error) === 'EADDRINUSE')
        throw new CliError(`port ${port} is in use; choose another --port (0 takes a free one)`);
      throw new CliError(`the sandbox did not start: ${messageOf(error)}`);
    });
    context.stdout.write(screen(running.url, dataDir));
    await untilAborted(context.signal);
    await running.close();
    return EXIT.ok;
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

function readLimit(text: string): LimitRule {
  try {
    return parseLimit(text);
  } catch (error) {
    throw new CliError(`--limit: ${messageOf(error)}`, EXIT.usage);
  }
}

function screen(url: string, dataDir: string | undefined): string {
  const post = `curl -s ${url}/v1/images/generations -H 'content-type: application/json'`;
  const facts = columns([
    ['sandbox', url],
    ['key', 'any, or none'],
    ['bill', dataDir ?? 'kept until this command ends; --data DIR keeps it'],
  ]);
  const lines = columns(
    [
      ['a picture', `${post} -d '{"prompt":"a red fox"}'`],
      ['a failure', `${post} -d '{"model":"429:2,ok","prompt":"a red fox"}'`],
      ['all failures', `curl -s ${url}/faults`],
      ['the bill', `curl -s ${url}/ledger`],
      ['a new bill', `curl -s -X DELETE ${url}/ledger`],
    ],
    '  ',
  );
  return `${facts}\n\ntry it\n${lines}\n\nCtrl-C ends it\n`;
}
