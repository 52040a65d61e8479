import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isObject } from '@onetake/core';
import { CliError, codeOf, messageOf } from '../exit.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as its system counts; null where it does not say. A process id alone may be given again. */
  readonly started: string | null;
}

const MAX_TAKEOVERS = 5;

/**
 * Holds `path` for this process until the returned function is called. What a dead process left behind is taken over;
 * a live one, or one of another machine, is a `CliError`.
 */
export async function takeLock(path: string): Promise<() => Promise<void>> {
  const holder: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(own, `${JSON.stringify(holder)}\n`, { flag: 'wx' });
  try {
    for (let tries = 0; tries < MAX_TAKEOVERS; tries++) {
      if (await linked(own, path)) return () => rm(path, { force: true });
      const held = await readFile(path, 'utf8').catch(() => undefined);
      if (held === undefined) continue;
      if (await isAlive(held)) throw inUse(path, held);
      if (await takenOver(path, held, own)) return () => rm(path, { force: true });
    }
    throw new CliError(`${path}: other processes keep taking it; end them and try again`);
  } catch (error) {
    throw error instanceof CliError ? error : new CliError(`${path} could not be written: ${messageOf(error)}`);
  } finally {
    await rm(own, { force: true });
  }
}

/** Giving the file its second name fails when there is one of this name already, whoever looks at the same time. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Puts our file in the place of a dead holder's. Many may find the same one: who holds the lock that is named after it is
 * the only one who may replace it, so that nobody's new lock is ever moved away, not even for a moment.
 */
async function takenOver(path: string, held: string, own: string): Promise<boolean> {
  const unlock = await takeLock(`${path}.${createHash('sha256').update(held).digest('hex').slice(0, 12)}`);
  try {
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== held) return false;
    await rename(own, path);
    return true;
  } finally {
    await unlock();
  }
}

async function isAlive(held: string): Promise<boolean> {
  const holder = read(held);
  if (holder === undefined) return false;
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return holder.started === null || holder.started === (await startOf(holder.pid));
}

function read(held: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(held);
    return isObject(value) && typeof value.pid === 'number' && value.pid > 0 ? (value as unknown as Holder) : undefined;
  } catch {
    return undefined;
  }
}

/** Field 22 of Linux's /proc/pid/stat; the second one, a name in parentheses, may hold anything. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function inUse(path: string, held: string): CliError {
  const holder = read(held);
  const where = holder?.host === hostname() ? '' : ` on ${holder?.host}`;
  const wayOut = where === '' ? 'end it or wait for it' : `end it there, or remove ${path} if it is gone`;
  return new CliError(`process ${holder?.pid}${where} works on this batch; ${wayOut}`);
}
