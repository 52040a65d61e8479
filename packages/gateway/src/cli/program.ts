import { Command, CommanderError, Option } from 'commander';
import { describeAlerts } from './commands/alerts.ts';
import { describeAssets } from './commands/assets.ts';
import { describeBatch } from './commands/batch.ts';
import { describeCache } from './commands/cache.ts';
import { describeConfig } from './commands/config.ts';
import { describeCosts } from './commands/costs.ts';
import { demo } from './commands/demo.ts';
import { describeDoctor } from './commands/doctor.ts';
import { describeExplain } from './commands/explain.ts';
import { describeFailures } from './commands/failures.ts';
import { type GenerateOptions, generate } from './commands/generate.ts';
import { describeGenerations } from './commands/generations.ts';
import { describeKeys } from './commands/keys.ts';
import { type RefusalsOptions, refusals } from './commands/refusals.ts';
import { type RegenerateOptions, regenerate } from './commands/regenerate.ts';
import { describeReplay } from './commands/replay.ts';
import { describeReport } from './commands/report.ts';
import { type SandboxCommandOptions, sandbox } from './commands/sandbox.ts';
import { start } from './commands/start.ts';
import { describeTargets } from './commands/targets.ts';
import { describeTasks } from './commands/tasks.ts';
import { describeTrace } from './commands/trace.ts';
import { describeWebhooks } from './commands/webhooks.ts';
import type { CliContext } from './context.ts';
import { EXIT, exitCodeOf, messageOf } from './exit.ts';
import { whole } from './option-values.ts';

const EXAMPLES = `
Examples:
  onetake                                       start on http://127.0.0.1:8484; without a key, on the sandbox
  onetake generate "a red fox" -o fox.png       one picture as a verified file, with fox.json beside it
  onetake batch prompts.csv --model M -o out    hundreds of pictures, paced, resumable, never paid for twice
  onetake doctor                                what is wrong, or soon will be, and how to mend it
  onetake explain billing_hard_limit_reached    what an error means, who has to act, what helps
  onetake trace ID                              what happened to a request, when, why, and for how much
  onetake keys create --name app --budget 5/day a key for an application, held to its budget
  onetake demo                                  see two accidents with and without Onetake
  OPENAI_BASE_URL=http://127.0.0.1:8484/v1      what an application sets to go through Onetake

Environment:
  OPENAI_API_KEY       opens OpenAI's models (or OPENAI_API_KEY_FILE)
  ONETAKE_PORT         8484; 0 takes a free port
  ONETAKE_HOST         127.0.0.1; any other address needs ONETAKE_API_KEYS or ONETAKE_ADMIN_KEY
  OPENAI_TIER          1 to 5: the account's usage tier, where its limits start from
  ONETAKE_DATA         ./onetake-data: journals, pictures and bills
  ONETAKE_DATABASE_URL postgres://…: a database that several gateways share, instead of a file
  ONETAKE_ASSETS       the directory of pictures that they share
  ONETAKE_API_KEYS     name:key,name2:key2: who may call, beside the keys that onetake keys create makes
  ONETAKE_ADMIN_KEY    the key that administers; without it, admin.key in the data directory
  ONETAKE_PUBLIC_URL   where callers reach the gateway from outside
  ONETAKE_CONFIG       a file to read instead of ./onetake.yaml
  ONETAKE_URL          the gateway that the other commands talk to; without it, one on this machine
  ONETAKE_API_KEY      the key they show it; without it, admin.key on the same machine

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 cost cap reached, 130 interrupted.`;

/** Runs one command line, without the program's own name, and returns its exit code. Never throws. */
export async function runCli(args: readonly string[], context: CliContext, version: string): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = describeCommands(context, version, async (command) => {
    exitCode = await command;
  });
  try {
    await program.parseAsync(args.length > 0 ? [...args] : ['start'], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    context.stderr.write(`onetake: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

type Run = (command: Promise<number>) => Promise<void>;

function describeCommands(context: CliContext, version: string, run: Run): Command {
  const program = new Command('onetake')
    .description(
      'Stands between an application and image APIs: every request ends in a picture that opens or in an error that says what happened, and nobody pays twice.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help for a command')
    .addHelpText('after', EXAMPLES)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error:/, 'onetake:')),
    });

  program
    .command('start')
    .description('start the gateway (the default)')
    .action(() => run(start(context)));
  describeGenerate(program.command('generate <prompt>'), context, run);
  describeRegenerate(program.command('regenerate <id>'), context, run);
  describeBatch(program.command('batch'), context, run);
  describeWebhooks(program.command('webhooks'), context, run);
  describeCache(program.command('cache'), context, run);
  describeKeys(program.command('keys'), context, run);
  describeDoctor(program.command('doctor'), context, run);
  describeConfig(program.command('config'), context, run);
  describeTargets(program.command('targets'), context, run);
  describeTasks(program.command('tasks'), context, run);
  describeAssets(program.command('assets'), context, run);
  describeAlerts(program.command('alerts'), context, run);
  describeTrace(program.command('trace <id>'), context, run);
  describeReplay(program.command('replay <id>'), context, run);
  describeReport(program.command('report <id>'), context, run, version);
  describeExplain(program.command('explain'), context, run);
  program
    .command('demo')
    .description('play two accidents with and without Onetake; takes about 10 s')
    .action(() => run(demo(context)));
  describeSandbox(program.command('sandbox'), context, run);
  describeGenerations(program.command('generations'), context, run);
  describeCosts(program.command('costs'), context, run);
  describeFailures(program.command('failures'), context, run);
  program
    .command('refusals')
    .description('list what providers refused to draw, newest first, with what was tried')
    .option('--limit <n>', 'how many at most', whole(1, 100), 20)
    .option('--json', "print the gateway's JSON")
    .action((options: RefusalsOptions) => run(refusals(context, options)));
  return program;
}

function describeGenerate(command: Command, context: CliContext, run: Run): void {
  command
    .description('generate a picture, or edit one, into a file')
    .requiredOption('-o, --output <file>', 'where to write; the extension is corrected to what the picture is')
    .option('--model <model>', 'a model or route name; the default is the gateway’s')
    .option('--size <WxH>', 'such as 1024x1024')
    .option('--quality <quality>', 'such as low, medium, high')
    .option('--n <n>', 'how many pictures', whole(1, 10))
    .option('--seed <n>', 'for models that have seeds', whole(0, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--format <format>', 'the file type').choices(['png', 'jpeg', 'webp']))
    .option('--image <file...>', 'edit these pictures instead')
    .option('--timeout-ms <ms>', 'how long to wait for the picture', whole(1, 86_400_000))
    .addOption(
      new Option('--payment <policy>', 'what may be paid to get it').choices(['strict', 'standard', 'available']),
    )
    .option('--json', 'print what was written as JSON')
    .action((prompt: string, { image, ...options }: GenerateOptions & { image?: readonly string[] }) =>
      run(generate(context, prompt, image ? { ...options, images: image } : options)),
    );
}

function describeRegenerate(command: Command, context: CliContext, run: Run): void {
  command
    .description('make an earlier generation once more: same model, parameters and seed')
    .requiredOption('-o, --output <file>', 'where to write; the extension is corrected to what the picture is')
    .option('--seed <n>', 'another seed', whole(0, Number.MAX_SAFE_INTEGER))
    .option('--prompt <prompt>', 'another prompt')
    .option('--model <model>', 'another model or route')
    .option('--n <n>', 'how many pictures', whole(1, 10))
    .option('--timeout-ms <ms>', 'how long to wait for the picture', whole(1, 86_400_000))
    .addOption(
      new Option('--payment <policy>', 'what may be paid to get it').choices(['strict', 'standard', 'available']),
    )
    .option('--json', 'print what was written as JSON')
    .action((id: string, options: RegenerateOptions) => run(regenerate(context, id, options)));
}

function describeSandbox(command: Command, context: CliContext, run: Run): void {
  command
    .description('run the provider that fails on command, alone, to test an application on it')
    .option('--port <n>', 'where to listen; 0 takes a free port', whole(0, 65_535), 0)
    .option('--data <dir>', 'where to keep the bill')
    .option('--limit <limits>', 'enforce limits, such as images=5/60s,concurrency=4')
    .option('--silent', 'refuse without saying when to come back')
    .action((options: SandboxCommandOptions) => run(sandbox(context, options)));
}
