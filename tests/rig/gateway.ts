import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeDirectory, temporaryDirectory } from './directories.ts';
import { type Running, runFile } from './processes.ts';

/** A gateway as `onetake start` runs it: a process of its own, on a free port, with a directory of its own. */
export interface RunningGateway {
  readonly url: string;
  /** Empty when the sandbox is off. */
  readonly sandboxUrl: string;
  /** Holds `onetake.yaml` and `data`. */
  readonly home: string;
  readonly dataDir: string;
  readonly process: Running;
  /** `kill -9`, and nothing else: the directory stays. */
  kill(): Promise<void>;
  /** Ends it as Ctrl-C does and returns its exit code; the directory stays. */
  end(): Promise<number | NodeJS.Signals>;
  /** Kills it and removes its directory; rejects when it had crashed before, with what it said. */
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** Of an earlier gateway, to start on what it left. */
  readonly home?: string;
  /** The text of `onetake.yaml`. */
  readonly yaml?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
}

export const ONETAKE = fileURLToPath(new URL('../../packages/gateway/src/cli/main.ts', import.meta.url));

/** Resolves when it listens and has printed its screen; rejects with what it said when it does not. */
export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const { home = temporaryDirectory(), yaml, env = {}, nodeArgs = [] } = options;
  const dataDir = join(home, 'data');
  if (yaml !== undefined) writeFileSync(join(home, 'onetake.yaml'), yaml);
  const running = runFile(ONETAKE, ['start'], {
    cwd: home,
    env: { ONETAKE_PORT: '0', ONETAKE_DATA: dataDir, ...env },
    nodeArgs,
  });
  await running.said(/^Ctrl-C ends it$/m);
  const address = (name: string) => new RegExp(`^${name}\\s+(http\\S+)$`, 'm').exec(running.stdout())?.[1] ?? '';
  const end = () => running.end('SIGTERM');
  return {
    url: address('gateway'),
    sandboxUrl: address('sandbox'),
    home,
    dataDir,
    process: running,
    kill: async () => void (await running.end('SIGKILL')),
    end,
    close: async () => {
      const { exitCode } = running.child;
      await running.end('SIGKILL');
      removeDirectory(home);
      if (exitCode) throw new Error(`the gateway had ended by itself with ${exitCode}:\n${running.stderr()}`);
    },
  };
}
