import { type Command, Option } from 'commander';
import { type BeginOptions, beginBatch } from '../batch/begin.ts';
import { type ResumeOptions, resumeBatch } from '../batch/resume.ts';
import type { CliContext } from '../context.ts';
import { list, usd, whole } from '../option-values.ts';

const DEFAULT_CONCURRENCY = 64;
const MAX_CONCURRENCY = 1_000;

/** Adds `onetake batch`, `onetake batch resume` and `onetake batch retry`. */
export function describeBatch(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command
    .description(
      'generate a picture or an answer per line of a file into a directory; stops and resumes without paying twice',
    )
    // What stands behind `resume` is its own; the program has this set as well.
    .enablePositionalOptions()
    .argument(
      '[file]',
      'prompts as JSONL, CSV with a header row, or plain lines, or requests of chat as JSONL; - reads stdin',
    )
    .option('-o, --out <dir>', 'a new directory for the pictures and the journal')
    .option('--model <model>', 'a model or route name, for lines that name none')
    .option('--size <WxH>', 'such as 1024x1024')
    .option('--quality <quality>', 'such as low, medium, high')
    .option('--n <n>', 'pictures per line', whole(1, 10))
    .option('--seed <n>', 'for models that have seeds', whole(0, Number.MAX_SAFE_INTEGER))
    .addOption(new Option('--format <format>', 'the file type').choices(['png', 'jpeg', 'webp']))
    .option('--background <background>', 'such as transparent')
    .addOption(
      new Option('--payment <policy>', 'what may be paid to get a picture').choices([
        'strict',
        'standard',
        'available',
      ]),
    )
    .option('--dry-run', 'say what it would cost and how long it would take; send nothing that costs')
    .action((file: string | undefined, options: BeginOptions) => run(beginBatch(context, file, options)));
  common(command);

  const resume = command
    .command('resume <dir>')
    .description('go on with a batch that was interrupted, killed, or stopped by its cap')
    .option(
      '--only <codes>',
      'repeat failed lines with these codes or kinds as well, such as rate_limit_exceeded',
      list,
    )
    .action((directory: string, options: ResumeOptions) =>
      run(resumeBatch(context, directory, { ...options, pending: true })),
    );
  common(resume).addOption(retryUnknown());

  const retry = command
    .command('retry <dir>')
    .description('repeat failed lines of a batch, and nothing else')
    .option('--only <codes>', 'those with these codes or kinds, such as rate_limit_exceeded,no_image_returned', list)
    .action((directory: string, options: ResumeOptions) =>
      run(resumeBatch(context, directory, { ...options, pending: false })),
    );
  common(retry).addOption(retryUnknown());
}

function common(command: Command): Command {
  return command
    .option('--max-cost <usd>', 'stop before more than this is spent', usd)
    .option('--concurrency <n>', 'lines open at once', whole(1, MAX_CONCURRENCY), DEFAULT_CONCURRENCY)
    .option('--json', 'print what happens as lines of JSON');
}

function retryUnknown(): Option {
  return new Option('--retry-unknown', 'repeat lines whose end nobody knows, which may pay for them twice');
}
