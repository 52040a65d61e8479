import { VERSION } from '../version.ts';
import type { CliContext } from './context.ts';
import { watchInterrupts } from './interrupts.ts';
import { runCli } from './program.ts';

const context: CliContext = {
  env: process.env,
  cwd: process.cwd(),
  // Opened by whoever reads it.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signal: watchInterrupts(process, { now: () => performance.now(), exit: (code) => process.exit(code) }),
  // Loaded when a command needs it: help, and a gateway that already runs, do not.
  startGateway: async (config) => (await import('../gateway.ts')).startGateway(config),
};
// A reader that goes away, such as `head`, is no reason to end a gateway.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const exitCode = await runCli(process.argv.slice(2), context, VERSION);
// What a failed start left open must not keep the process; what was printed must be out first.
process.stdout.write('', () => process.exit(exitCode));
