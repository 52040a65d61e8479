import { resolve } from 'node:path';
import { isLoopback, parseAddress, urlHere } from '../config/environment.ts';
import { type Config, loadConfig } from '../config.ts';
import { readAdminKey } from '../keys/admin-key.ts';
import { call } from './call.ts';
import type { CliContext, RunningGateway } from './context.ts';
import { CliError, codeOf, EXIT, messageOf } from './exit.ts';
import { isThisMachine } from './this-machine.ts';

/** A gateway to talk to: somebody else's, or one of our own for the duration of a command. */
export interface Reached {
  readonly url: string;
  /** What every request to it carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** What a request carries that is for administrators alone; absent where no such key is known here. */
  readonly adminHeaders?: Readonly<Record<string, string>>;
  readonly own: boolean;
  close(): Promise<void>;
}

const PROBE_TIMEOUT_MS = 500;
const ASK_TIMEOUT_MS = 10_000;

/** The gateway at `ONETAKE_URL`, else the one on this machine's `ONETAKE_PORT`, else one in this process. */
export async function reachGateway(context: CliContext): Promise<Reached> {
  const { env, cwd, stderr } = context;
  if (env.ONETAKE_URL) return reachNamed(env.ONETAKE_URL, context);
  const config = loadConfig({ env, cwd });
  const key = env.ONETAKE_API_KEY || config.callers[0]?.key;
  const url = urlHere(config.host, config.port);
  if (config.port !== 0 && (await isAlive(url))) {
    const made = isThisMachine(config.host) ? await keyInFile(context, config.dataDir) : undefined;
    const headers = await headersFor(url, key, config.adminKey ?? made);
    return { url, ...headers, own: false, close: async () => {} };
  }
  for (const notice of config.notices) stderr.write(`note: ${notice}\n`);
  const gateway = await openGateway(context, { ...config, host: '127.0.0.1', port: 0 });
  const headers = await headersFor(gateway.url, key, config.adminKey ?? (await keyInFile(context, config.dataDir)));
  return { url: gateway.url, ...headers, own: true, close: () => gateway.close() };
}

async function reachNamed(value: string, context: CliContext): Promise<Reached> {
  const { env, cwd } = context;
  const url = parseAddress(value)?.replace(/\/v1$/, '');
  if (url === undefined) throw new CliError('ONETAKE_URL: expected an http or https address', EXIT.usage);
  if (!(await isAlive(url)))
    throw new CliError(`no gateway answers at ${url} (ONETAKE_URL); start it there or unset ONETAKE_URL`);
  // The key of this machine's gateway is nobody else's business.
  const isHere = isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
  const fromFile = () => keyInFile(context, resolve(cwd, env.ONETAKE_DATA || 'onetake-data'));
  const adminKey = env.ONETAKE_ADMIN_KEY || (isHere ? await fromFile() : undefined);
  return { url, ...(await headersFor(url, env.ONETAKE_API_KEY, adminKey)), own: false, close: async () => {} };
}

/** Of a file that is there and no key, or another user's, is told; without one there is nothing to say. */
async function keyInFile({ stderr }: CliContext, dataDir: string): Promise<string | undefined> {
  try {
    return await readAdminKey(dataDir);
  } catch (error) {
    stderr.write(`note: the admin key cannot be used: ${messageOf(error)}\n`);
    return undefined;
  }
}

/** The admin key stands in for one that is missing, but only where one is wanted: without keys everybody is `local`. */
async function headersFor(
  url: string,
  key: string | undefined,
  adminKey: string | undefined,
): Promise<Pick<Reached, 'headers' | 'adminHeaders'>> {
  if (!adminKey) return { headers: authorization(key) };
  const adminHeaders = authorization(adminKey);
  if (key || !(await wantsKey(url))) return { headers: authorization(key), adminHeaders };
  return { headers: adminHeaders, adminHeaders };
}

async function wantsKey(url: string): Promise<boolean> {
  try {
    const { status } = await call(`${url}/v1/generations?limit=1`, { timeoutMs: ASK_TIMEOUT_MS });
    return status === 401;
  } catch {
    // The command's own request says better what is wrong.
    return false;
  }
}

function authorization(key: string | undefined): Record<string, string> {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** Whether a gateway listens there: other servers say 200 to any path, and are to be shown no key. */
async function isAlive(url: string): Promise<boolean> {
  try {
    const { status, body } = await call(`${url}/health/live`, { timeoutMs: PROBE_TIMEOUT_MS });
    return status === 200 && body?.status === 'live';
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
