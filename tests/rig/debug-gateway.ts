/** A gateway that logs all it can; its address is its first line. */
import { loadConfig } from '../../packages/gateway/src/config.ts';
import { startGateway } from '../../packages/gateway/src/gateway.ts';
import { createLog } from '../../packages/gateway/src/log.ts';

const gateway = await startGateway(loadConfig({ env: process.env, cwd: process.cwd() }), { log: createLog('trace') });
process.stdout.write(`gateway ${gateway.url}\n`);
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)));
