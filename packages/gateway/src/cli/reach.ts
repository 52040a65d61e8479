import { parseAddress } from '../config/environment.ts';
import { type Config, loadConfig } from '../config.ts';
import { call } from './call.ts';
import type { CliContext, RunningGateway } from './context.ts';
import { CliError, codeOf, EXIT, messageOf } from './exit.ts';

/** A gateway to talk to: somebody else's, or one of our own for the duration of a command. */
export interface Reached {
  readonly url: string;
  /** What every request to it carries. */
  readonly headers: Readonly<Record<string, string>>;
  readonly own: boolean;
  close(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 500;

/** The gateway at `ONETAKE_URL`, else the one on this machine's `ONETAKE_PORT`, else one in this process. */
export async function reachGateway(context: CliContext): Promise<Reached> {
  const { env, cwd, stderr } = context;
  if (env.ONETAKE_URL) return reachNamed(env.ONETAKE_URL, env.ONETAKE_API_KEY);
  const config = loadConfig({ env, cwd });
  const headers = authorization(env.ONETAKE_API_KEY || config.callers[0]?.key);
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`;
  if (config.port !== 0 && (await isAlive(url))) return { url, headers, own: false, close: async () => {} };
  for (const notice of config.notices) stderr.write(`note: ${notice}\n`);
  const gateway = await openGateway(context, { ...config, host: '127.0.0.1', port: 0 });
  return { url: gateway.url, headers, own: true, close: () => gateway.close() };
}

async function reachNamed(value: string, key: string | undefined): Promise<Reached> {
  const url = parseAddress(value)?.replace(/\/v1$/, '');
  if (url === undefined) throw new CliError('ONETAKE_URL: expected an http or https address', EXIT.usage);
  if (!(await isAlive(url)))
    throw new CliError(`no gateway answers at ${url} (ONETAKE_URL); start it there or unset ONETAKE_URL`);
  return { url, headers: authorization(key), own: false, close: async () => {} };
}

function authorization(key: string | undefined): Record<string, string> {
  return key ? { authorization: `Bearer ${key}` } : {};
}

async function isAlive(url: string): Promise<boolean> {
  try {
    const { status } = await call(`${url}/health/live`, { timeoutMs: PROBE_TIMEOUT_MS });
    return status === 200;
  } catch {
    return false;
  }
}

/** Starts a gateway; what usually goes wrong is said in one sentence. */
export async function openGateway({ startGateway }: CliContext, config: Config): Promise<RunningGateway> {
  try {
    return await startGateway(config);
  } catch (error) {
    const place = `port ${config.port} on ${config.host}`;
    const code = codeOf(error);
    if (code === 'EADDRINUSE')
      throw new CliError(`${place} is in use; end what listens there or set ONETAKE_PORT (0 takes a free port)`);
    if (code === 'EADDRNOTAVAIL')
      throw new CliError(`${config.host} is no address of this machine; change ONETAKE_HOST`);
    if (code === 'EACCES' && config.port > 0 && config.port < 1024)
      throw new CliError(`${place} needs rights this user lacks; set ONETAKE_PORT to 1024 or more`);
    if (error instanceof Error && error.name === 'StoreInUseError')
      throw new CliError(
        `${config.dataDir} is in use by another gateway; end it, talk to it with ONETAKE_URL, or set ONETAKE_DATA to another directory`,
      );
    throw new CliError(`the gateway did not start: ${messageOf(error)}`);
  }
}
