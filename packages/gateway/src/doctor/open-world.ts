import { devNull } from 'node:os';
import type { Catalogue } from '@onetake/core';
import { catalogueOf } from '../catalogue.ts';
import { type Config, ConfigError, type Environment, loadConfig } from '../config.ts';
import type { DoctorIo, DoctorOptions, DoctorWorld, GatewayFacts, ReadConfig } from './world.ts';

export interface WorldOptions {
  readonly env: Environment;
  readonly cwd: string;
  readonly io: DoctorIo;
  readonly options?: DoctorOptions;
  readonly gateway?: GatewayFacts;
  /** For one check. Default 10,000. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Where the sandbox would be: nothing is sent there, and a name that leads nowhere says so if something were. */
const UNSTARTED = { url: 'http://sandbox.invalid', refusePort: 0, resetPort: 0 };

/** Reads what the doctor looks at. Starts nothing. */
export function openWorld({ env, cwd, io, options = {}, gateway, timeoutMs = TIMEOUT_MS }: WorldOptions): DoctorWorld {
  const config = readConfig(env, cwd);
  const catalogue = config.ok ? catalogueFor(config.config) : undefined;
  return {
    ...{ env, cwd, io, options, config, timeoutMs },
    ...(catalogue && { catalogue }),
    ...(gateway && { gateway }),
  };
}

/** What names mean while no gateway runs, or as it would be. */
export function catalogueFor(config: Config): Catalogue {
  return catalogueOf(config, config.sandbox ? () => UNSTARTED : undefined);
}

function readConfig(env: Environment, cwd: string): ReadConfig {
  try {
    return { ok: true, config: loadConfig({ env, cwd }) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const partial = readPartial(env, cwd);
    return { ok: false, faults: error.faults, ...(partial && { partial }) };
  }
}

/** As if `onetake.yaml` were empty. */
function readPartial(env: Environment, cwd: string): Config | undefined {
  try {
    return loadConfig({ env, cwd, file: devNull });
  } catch {
    return undefined;
  }
}
