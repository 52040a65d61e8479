import type { Command } from 'commander';
import { CHECKS } from '../../doctor/checks.ts';
import { CHECK_TIMEOUT_MS, diagnose, STEP_TIMEOUT_MS } from '../../doctor/diagnose.ts';
import { readGatewayFacts, usualGateway } from '../../doctor/gateway-facts.ts';
import { paidTests } from '../../doctor/network/spend.ts';
import { openWorld } from '../../doctor/open-world.ts';
import { realIo } from '../../doctor/real-io.ts';
import { reportText } from '../../doctor/report.ts';
import { diagnosisView } from '../../doctor/view.ts';
import type { DoctorOptions, DoctorWorld } from '../../doctor/world.ts';
import { confirmed } from '../confirm.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { whole } from '../option-values.ts';
import { heading, priceText, widthOf } from '../text.ts';

export interface DoctorCommandOptions extends DoctorOptions {
  readonly json?: boolean;
  readonly fixHints?: boolean;
  readonly yes?: boolean;
}

/** For one check, and for one step of it: a network that swallows everything must not make it long. */
const MAX_THROUGH_MS = 3_600_000;

/** Adds its options to the command `doctor`. */
export function describeDoctor(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command
    .description('find out what is wrong, or soon will be; changes nothing; exit code 0 healthy, 1 warnings, 2 broken')
    .option('--json', 'print the findings as JSON')
    .option('--fix-hints', 'print the commands and lines that would mend what was found')
    .option('--provider <id>', 'only what concerns this provider')
    .option('--prompt <text>', 'hold this prompt against the local rules')
    .option('--through <url>', 'send a long job of the sandbox through your proxy at this address')
    .option('--through-ms <ms>', 'how long that job takes; default 150000', whole(1_000, MAX_THROUGH_MS))
    .option('--spend', 'make one plain picture at each provider, which costs money: the price is told first')
    .option('--offline', 'let nothing leave this machine')
    .option('--yes', 'agree to the price of --spend beforehand')
    .action((options: DoctorCommandOptions) => run(doctor(context, options)));
}

/** Looks at everything and prints what it found; the verdict is the exit code. */
export async function doctor(context: CliContext, told: DoctorCommandOptions): Promise<number> {
  const { json, fixHints, yes, ...options } = told;
  if (options.offline && (options.through !== undefined || options.spend))
    throw new CliError(
      '--offline: expected neither --through nor --spend beside it; leave one of them out',
      EXIT.usage,
    );
  const world = await worldOf(context, options);
  checkProvider(world);
  const maySpend = !options.spend || (await isAgreed(world, context, yes === true));
  // What costs nothing is looked at all the same.
  const agreed = maySpend ? world : { ...world, options: { ...world.options, spend: false } };
  const diagnosis = await diagnose(agreed, CHECKS);
  const { stdout } = context;
  if (json) {
    stdout.write(`${JSON.stringify(diagnosisView(diagnosis))}\n`);
    return diagnosis.verdict;
  }
  const bold = (text: string) => heading(text, stdout, context);
  stdout.write(reportText(diagnosis, CHECKS, { heading: bold, width: widthOf(stdout), ...(fixHints && { fixHints }) }));
  return diagnosis.verdict;
}

async function worldOf({ env, cwd }: CliContext, options: DoctorOptions): Promise<DoctorWorld> {
  const io = realIo({ timeoutMs: STEP_TIMEOUT_MS });
  const world = openWorld({ env, cwd, io, options, timeoutMs: CHECK_TIMEOUT_MS });
  const address = await usualGateway(world);
  const gateway = address && (await readGatewayFacts(address, io));
  return gateway ? { ...world, gateway } : world;
}

/** A name that nobody has would find everything well. */
function checkProvider({ options: { provider }, catalogue }: DoctorWorld): void {
  if (provider === undefined || catalogue === undefined) return;
  const ids = catalogue.connections.map(({ id }) => id);
  if (ids.includes(provider)) return;
  const expected = `one of ${ids.join(', ')}`;
  throw new CliError(`--provider: expected ${expected}, got "${provider}", which is not configured`, EXIT.usage);
}

/** The price is told even where it was agreed to beforehand. */
async function isAgreed(world: DoctorWorld, context: CliContext, yes: boolean): Promise<boolean> {
  const tests = paidTests(world);
  if (tests.length === 0) return true;
  const lines = tests.map(({ target, size, quality, usd }) => {
    const how = [size, quality].filter((one) => one !== undefined).join(' ');
    return `  ${target}${how === '' ? '' : ` ${how}`}: ${priceText(usd)}`;
  });
  const known = tests.reduce((sum, { usd }) => sum + (usd ?? 0), 0);
  const isKnown = tests.every(({ usd }) => usd !== undefined);
  const price = isKnown
    ? `${priceText(known)} together`
    : `at least ${priceText(known)}, and what those of an unknown price cost`;
  context.stderr.write(`--spend makes one picture each, paid at your providers:\n${lines.join('\n')}\n`);
  if (yes) return true;
  return confirmed(`That costs ${price}. Go on?`, context);
}
