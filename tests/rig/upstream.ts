import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { call } from './call.ts';
import { ONETAKE, type RunningGateway } from './gateway.ts';
import { type RunOptions, runFile } from './processes.ts';

/** A request as `GET /requests` of the sandbox tells it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly bytes: number;
    readonly sha256?: string;
    readonly json?: unknown;
    readonly form?: unknown;
  } | null;
}

/** The latest requests of a sandbox, without those that change nothing. */
export async function paidRequests(sandboxUrl: string): Promise<readonly Seen[]> {
  const { body } = await call(`${sandboxUrl}/requests`);
  return (body.requests as readonly Seen[]).filter(({ method }) => method === 'POST');
}

/** What a request says, without what differs between two programs that say the same. */
export function meaningOf({ method, path, headers, body }: Seen) {
  const ignored = [
    'host',
    'connection',
    'content-length',
    'user-agent',
    'expect',
    'transfer-encoding',
    'accept-encoding',
  ];
  const said = Object.entries(headers).filter(([name]) => !ignored.includes(name));
  const isForm = body?.form !== undefined;
  return {
    method,
    path,
    headers: Object.fromEntries(
      said.map(([name, value]) => [name, isForm ? value.replace(/boundary=.*$/, 'boundary') : value]),
    ),
    // The boundary of a form is its sender's; JSON is held against JSON, and beyond that the bytes decide.
    body: isForm ? body.form : (body?.json ?? body?.sha256),
  };
}

export interface Said {
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command of `onetake` that talks to a running gateway. */
export async function onetake(
  gateway: Pick<RunningGateway, 'url' | 'home'>,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Said> {
  const env = { ONETAKE_URL: gateway.url, ...options.env };
  const running = runFile(ONETAKE, args, { cwd: gateway.home, ...options, env });
  const code = await running.ended(60_000);
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

/** A command as it was printed, run by `sh`. */
export async function sh(command: string, cwd: string, env: Readonly<Record<string, string>>): Promise<Said> {
  const child = spawn('/bin/sh', ['-c', command], { cwd, env: { PATH: process.env.PATH, ...env }, timeout: 60_000 });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code: signal ?? code ?? 1, ...said };
}
