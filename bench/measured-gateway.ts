import { type RunningGateway, startGateway } from '../tests/rig/gateway.ts';
import { PROBE, type ServerName, startServer } from './rounds.ts';

/** A gateway under measure in front of a provider that costs next to nothing. */
export interface Measured {
  readonly upstream: string;
  readonly gateway: RunningGateway;
  close(): Promise<void>;
}

/** The model's name at the gateway. */
export const GATEWAY_MODEL_PREFIX = 'bench/';

/** As `npm start` and the bin in a clone start it. */
const YOUNG_GENERATION = '--max-semi-space-size=16';

/** `settings` are further lines of its `onetake.yaml`. */
export async function startMeasured(
  settings: readonly string[] = [],
  provider: ServerName = 'upstream',
): Promise<Measured> {
  const upstream = await startServer(provider, []);
  const yaml = [
    'providers:',
    `  bench: { kind: openai-compatible, base_url: "${upstream.origin}/v1" }`,
    'sandbox: off',
    ...settings,
    '',
  ].join('\n');
  const gateway = await startGateway({ yaml, nodeArgs: [...PROBE, YOUNG_GENERATION] });
  const close = async () => {
    await gateway.close();
    await upstream.running.end('SIGTERM');
  };
  return { upstream: upstream.origin, gateway, close };
}
