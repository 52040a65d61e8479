import { relative } from 'node:path';
import type { CliContext } from '../context.ts';
import { CliError, EXIT, interrupted, messageOf } from '../exit.ts';
import type { Reached } from '../reach.ts';
import type { OpenBatch } from './folder.ts';
import { runSession, type SessionOptions } from './session.ts';
import { reportText } from './telling.ts';

/** Runs a session and prints what came of it; the exit code is the report's. */
export async function runAndTell(
  context: CliContext,
  open: OpenBatch,
  gateway: Reached,
  options: SessionOptions,
): Promise<number> {
  const directory = relative(context.cwd, open.directory) || '.';
  const { report, exitCode, stopped } = await runSession(context, open, gateway, options);
  const summary = JSON.stringify({ type: 'summary', exit_code: exitCode, ...report });
  context.stdout.write(options.json ? `${summary}\n` : reportText(report, directory));
  if (exitCode === EXIT.interrupted) throw interrupted(`; go on by onetake batch resume ${directory}`);
  if (stopped !== undefined) throw new CliError(`${messageOf(stopped)}; go on by onetake batch resume ${directory}`);
  return exitCode;
}
