import type { Command } from 'commander';
import { traceText } from '../../trace/trace.ts';
import { withGateway } from '../ask.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { findGeneration } from '../find-generation.ts';

/** Describes `onetake trace`. */
export function describeTrace(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command
    .description('what happened to a generation, when and why; takes its id, a task’s, or any request id')
    .option('--json', "print the gateway's JSON")
    .action((id: string, options: { readonly json?: boolean }) => run(trace(context, id, options)));
}

/** Prints the timeline of a generation. */
export async function trace(context: CliContext, id: string, { json }: { readonly json?: boolean }): Promise<number> {
  const view = await withGateway(context, (ask) => findGeneration(ask, id), { prefersAdmin: true });
  context.stdout.write(json ? `${JSON.stringify(view)}\n` : `${traceText(view)}\n`);
  return EXIT.ok;
}
