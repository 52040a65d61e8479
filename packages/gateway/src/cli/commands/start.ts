import { loadConfig } from '../../config.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';
import { untilAborted } from '../interrupts.ts';
import { openGateway } from '../reach.ts';
import { startScreen } from '../start-screen.ts';

/** Runs the gateway until it is told to end; ending as told is a success. */
export async function start(context: CliContext): Promise<number> {
  const config = loadConfig(context);
  const gateway = await openGateway(context, config);
  context.stdout.write(startScreen(config, gateway, context));
  await untilAborted(context.signal);
  context.stderr.write('ending: pictures in flight get a moment to arrive\n');
  await gateway.close();
  return EXIT.ok;
}
