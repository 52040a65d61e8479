import { readFile } from 'node:fs/promises';
import { type Asset, type AssetStore, createIntake, IMAGE_TYPES } from '@onetake/core';
import type { RouteDegrade } from '../config/degrade.ts';
import { ConfigError } from '../config/report.ts';

/**
 * Verifies and stores the file of every route that has one, by route. Throws a `ConfigError` that names each that is no
 * whole picture: better at the start than on the day it is needed.
 */
export async function storeStaticFiles(
  routes: Readonly<Record<string, RouteDegrade>>,
  assets: AssetStore,
): Promise<ReadonlyMap<string, Asset>> {
  const stored = new Map<string, Asset>();
  const faults: string[] = [];
  for (const [name, { file }] of Object.entries(routes)) {
    if (file === undefined) continue;
    const asset = await store(file, assets);
    if (typeof asset === 'string') faults.push(`routes.${name}.degrade.file: expected ${PICTURE}, got ${asset}`);
    else stored.set(name, asset);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return stored;
}

const PICTURE = `a whole picture (${Object.keys(IMAGE_TYPES).join(', ')})`;

async function store(path: string, assets: AssetStore): Promise<Asset | string> {
  const intake = createIntake(assets);
  try {
    const blob = intake.openBlob();
    await blob.write(await readFile(path));
    const settled = await intake.settle(blob.end());
    return settled.ok ? settled.asset : `${settled.problem.replaceAll('_', ' ')}: ${settled.detail}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await intake.discardAll();
  }
}
