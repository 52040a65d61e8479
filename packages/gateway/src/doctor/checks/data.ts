import type { Config } from '../../config.ts';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld, Tried } from '../world.ts';
import { bytesText, fine, ownConfig, unread } from './found.ts';

/** Less, and the next pictures fill it. */
const BROKEN_BYTES = 500e6;
const LOW_BYTES = 5e9;
const LOW_SHARE = 0.1;
const OTHERS = 0o077;

/** The directory of journals, pictures and bills: whether it can be written, who can read it, how much room there is. */
export const DATA: Check = {
  id: 'data',
  title: 'data directory',
  async run(world) {
    const config = ownConfig(world);
    if (config === undefined) return unread('data');
    const found = await directoryFindings(config.dataDir, world);
    const room = await roomFindings('data', config.dataDir, config, world);
    return [...found, ...room];
  },
};

async function directoryFindings(dataDir: string, { io }: DoctorWorld): Promise<readonly Finding[]> {
  const found = await io.stat(dataDir);
  if (found.ok && found.value.kind !== 'directory') {
    const advice = 'Move it away, or set ONETAKE_DATA to a directory.';
    return [
      { id: 'data.no-directory', level: 'broken', subject: dataDir, message: `${dataDir} is no directory`, advice },
    ];
  }
  const written = await io.write(dataDir);
  if (!written.ok) return [unwritable('data', 'ONETAKE_DATA', dataDir, written)];
  if (!found.ok) return [fine('data.new', `${dataDir} is made at the first start`, dataDir)];
  const { mode, ownerId } = found.value;
  const { userId } = await io.process();
  const warnings: Finding[] = [];
  if ((mode & OTHERS) !== 0)
    warnings.push({
      ...{ id: 'data.mode', level: 'warning', subject: dataDir },
      message: `${dataDir} can be read by other users of this machine (mode ${mode.toString(8).padStart(4, '0')})`,
      advice: 'Take their rights away: prompts, pictures and the administrator’s key lie there.',
      fix: `chmod 700 ${quoted(dataDir)}`,
    });
  if (ownerId !== undefined && userId !== undefined && userId !== 0 && ownerId !== userId)
    warnings.push({
      ...{ id: 'data.owner', level: 'warning', subject: dataDir },
      message: `${dataDir} belongs to user ${ownerId}, and this is user ${userId}`,
      advice: 'Start the gateway as its owner, or hand it over, so that both can always write what the other wrote.',
      fix: `sudo chown -R ${userId} ${quoted(dataDir)}`,
    });
  return warnings.length > 0
    ? warnings
    : [fine('data.writable', `${dataDir} can be written, by its owner alone`, dataDir)];
}

/** What to say of a directory that nothing can be written to. */
export function unwritable(
  check: string,
  variable: string,
  path: string,
  { code, message }: Extract<Tried<unknown>, { ok: false }>,
): Finding {
  const subject = path;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const advice = `Make room, or set ${variable} to a directory on a larger disk: nothing can be stored now.`;
    return {
      id: `${check}.disk-full`,
      level: 'broken',
      subject,
      message: `${path} takes no more bytes (${code})`,
      advice,
    };
  }
  const advice =
    code === 'EROFS'
      ? `Mount it so that it can be written, or set ${variable} to another directory.`
      : `Give the gateway's user the right to write there, or set ${variable} to another directory.`;
  const why = message.includes(code) ? code : `${code}: ${message}`;
  return { id: `${check}.unwritable`, level: 'broken', subject, message: `${path} cannot be written (${why})`, advice };
}

/** How much room there is, beside how much the pictures may take. */
export async function roomFindings(
  check: string,
  path: string,
  { retention }: Pick<Config, 'retention'>,
  { io }: DoctorWorld,
): Promise<readonly Finding[]> {
  const disk = await io.disk(path);
  if (!disk.ok)
    return [
      { id: `${check}.disk-unknown`, level: 'skipped', message: `the room on its disk is not known (${disk.code})` },
    ];
  const { freeBytes, totalBytes } = disk.value;
  const room = `${bytesText(freeBytes)} of ${bytesText(totalBytes)} are free`;
  const kept = `pictures are kept until they take ${bytesText(retention.bytes)} (retention.bytes)`;
  const facts = { free_bytes: freeBytes, total_bytes: totalBytes, retention_bytes: retention.bytes };
  const isShort = freeBytes < LOW_BYTES || (freeBytes < LOW_SHARE * totalBytes && freeBytes < retention.bytes);
  if (!isShort) return [{ ...fine(`${check}.room`, room, path), facts }];
  const isFull = freeBytes < BROKEN_BYTES;
  return [
    {
      ...{ id: isFull ? `${check}.disk-full` : `${check}.disk-low`, level: isFull ? 'broken' : 'warning' },
      subject: path,
      message: `only ${room}, and ${kept}`,
      advice: 'Make room, or set retention.bytes below what the disk has for pictures: they fill it otherwise.',
      fix: `retention:\n  bytes: ${Math.max(1, Math.floor(freeBytes / 2e9))}GB`,
      facts,
    },
  ];
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
