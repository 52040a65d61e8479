import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEGRADE_KINDS, type DegradeKind } from '../degrade/kinds.ts';
import { fault, type Report } from './report.ts';
import type { ConfigFile } from './schema.ts';

/** What a route shows when nothing can be made. */
export interface RouteDegrade {
  /** Tried in this order. */
  readonly to: readonly DegradeKind[];
  /** Absolute; there whenever `to` has `file`. */
  readonly file?: string;
}

const MAX_FILE_BYTES = 16 * 1024 ** 2;

/** Reads `degrade` of every route that has one; the map has no prototype. A file is relative to `cwd`. */
export function readDegrade(file: ConfigFile, cwd: string, report: Report): Readonly<Record<string, RouteDegrade>> {
  const routes: Record<string, RouteDegrade> = Object.create(null);
  for (const [name, { degrade }] of Object.entries(file.routes)) {
    if (degrade === undefined) continue;
    const path = degrade.file === undefined ? undefined : resolve(cwd, degrade.file);
    const to = degrade.to ?? DEGRADE_KINDS.filter((kind) => kind !== 'file' || path !== undefined);
    const wrong = checkFile(`routes.${name}.degrade`, to, path);
    if (wrong !== undefined) report.faults.push(wrong);
    routes[name] = { to, ...(path !== undefined && { file: path }) };
  }
  return routes;
}

function checkFile(setting: string, to: readonly DegradeKind[], path: string | undefined): string | undefined {
  if (path === undefined)
    return to.includes('file') ? fault(`${setting}.file`, 'the path of a picture', undefined) : undefined;
  if (!to.includes('file')) return fault(`${setting}.to`, 'file among them, as there is one', to.join(', '));
  try {
    const { size } = statSync(path);
    if (size <= MAX_FILE_BYTES) return undefined;
    return fault(`${setting}.file`, `a picture of at most ${MAX_FILE_BYTES} bytes`, `${size} bytes`);
  } catch (error) {
    return fault(`${setting}.file`, 'a readable picture', (error as NodeJS.ErrnoException).code ?? 'an error');
  }
}
