import { dirname } from 'node:path';
import type { Check, Finding } from '../check.ts';
import { roomFindings, unwritable } from './data.ts';
import { fine, ownConfig, unread } from './found.ts';

/** Where pictures are kept, where that is not in the data directory. */
export const ASSETS: Check = {
  id: 'assets',
  title: 'pictures',
  async run(world) {
    const config = ownConfig(world);
    if (config === undefined) return unread('assets');
    const { assetsDir, dataDir, databaseUrl } = config;
    if (dirname(assetsDir) === dataDir) return [fine('assets.inside', 'kept in the data directory')];
    const found = await world.io.stat(assetsDir);
    if (found.ok && found.value.kind !== 'directory') {
      const advice = 'Set ONETAKE_ASSETS to a directory.';
      const message = `${assetsDir} is no directory`;
      return [{ id: 'assets.no-directory', level: 'broken', subject: assetsDir, message, advice }];
    }
    const written = await world.io.write(assetsDir);
    if (!written.ok) return [unwritable('assets', 'ONETAKE_ASSETS', assetsDir, written)];
    const room = await roomFindings('assets', assetsDir, config, world);
    if (found.ok || databaseUrl === undefined) return [fine('assets.writable', `${assetsDir} can be written`), ...room];
    return [MISSING(assetsDir), ...room];
  },
};

/** A share that is not mounted looks like a directory that is not there yet. */
const MISSING = (assetsDir: string): Finding => ({
  id: 'assets.missing',
  level: 'warning',
  subject: assetsDir,
  message: `${assetsDir} is not there yet, and other gateways look for pictures in it`,
  advice: 'Make sure that the shared directory is mounted; if this is the first start, make it.',
  fix: `mkdir -p ${assetsDir}`,
});
