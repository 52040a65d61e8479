import { setTimeout as pause } from 'node:timers/promises';
import { startTestPostgres } from '../../packages/gateway/src/store/testing/postgres.ts';
import { removeDirectory, temporaryDirectory } from './directories.ts';
import { type RunningGateway, startGateway } from './gateway.ts';
import { type RunningSandbox, startSandbox } from './sandbox.ts';

/** Gateways on one PostgreSQL and one directory of pictures, in front of a provider that outlives them. */
export interface Fleet {
  readonly sandbox: RunningSandbox;
  readonly databaseUrl: string;
  /** Those that listen now. */
  nodes(): readonly RunningGateway[];
  /** Kills a random one with `kill -9` and starts it again after a moment. */
  killOne(): Promise<void>;
  close(): Promise<void>;
}

/** The provider as a job API and as one that answers with the picture. */
export const FLEET_MODELS = { job: 'lab', call: 'lab2' } as const;
const MAX_GONE_MS = 300;

/** `limits` are lines of `onetake.yaml` under that key, `more` whole sections. */
export async function startFleet(
  size: number,
  limits: readonly string[] = [],
  more: readonly string[] = [],
): Promise<Fleet> {
  const [postgres, sandbox] = await Promise.all([startTestPostgres(), startSandbox()]);
  const databaseUrl = await postgres.createDatabase();
  const assets = temporaryDirectory();
  const env = { ONETAKE_DATABASE_URL: databaseUrl, ONETAKE_ASSETS: assets };
  const yaml = [
    'providers:',
    `  ${FLEET_MODELS.job}: { kind: sandbox-task, base_url: "${sandbox.url}" }`,
    `  ${FLEET_MODELS.call}: { kind: openai-compatible, base_url: "${sandbox.url}/v1" }`,
    ...(limits.length > 0 ? ['limits:', ...limits] : []),
    ...more,
    'sandbox: off',
    '',
  ].join('\n');
  const nodes = new Set(await Promise.all(Array.from({ length: size }, () => startGateway({ env, yaml }))));

  async function killOne(): Promise<void> {
    const alive = [...nodes];
    const node = alive[Math.floor(Math.random() * alive.length)];
    if (node === undefined) throw new Error('no node is alive');
    nodes.delete(node);
    await node.kill();
    await pause(Math.random() * MAX_GONE_MS);
    nodes.add(await startGateway({ env, home: node.home }));
  }

  return {
    sandbox,
    databaseUrl,
    nodes: () => [...nodes],
    killOne,
    async close() {
      await Promise.all([...nodes].map((node) => node.close()));
      await Promise.all([postgres.stop(), sandbox.close()]);
      removeDirectory(assets);
    },
  };
}
