import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Environment } from '../../config.ts';
import type { StartGateway } from '../context.ts';
import { runCli } from '../program.ts';

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
  readonly startGateway?: StartGateway;
  /** Sees everything printed so far whenever something is. */
  readonly onOutput?: (text: string) => void;
}

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cli-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs one command line in this process. Without `startGateway`, starting one is an error. */
export async function cli(t: TestContext, args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const printed = { stdout: '', stderr: '' };
  const output = (stream: keyof typeof printed) => ({
    write: (text: string) => {
      printed[stream] += text;
      options.onOutput?.(printed.stdout + printed.stderr);
    },
  });
  const exitCode = await runCli(
    args,
    {
      env: options.env ?? {},
      cwd: options.cwd ?? temporaryDirectory(t),
      ...(options.stdin && { stdin: options.stdin }),
      stdout: output('stdout'),
      stderr: output('stderr'),
      signal: options.signal ?? new AbortController().signal,
      startGateway: options.startGateway ?? (() => Promise.reject(new Error('no gateway may start in this test'))),
    },
    '1.2.3',
  );
  return { exitCode, ...printed };
}
