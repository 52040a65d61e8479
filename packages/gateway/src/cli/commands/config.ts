import type { Command } from 'commander';
import { stringify } from 'yaml';
import { configJsonSchema } from '../../config/json-schema.ts';
import { ConfigError, loadConfig } from '../../config.ts';
import { catalogueFor } from '../../doctor/open-world.ts';
import { configView } from '../../http/config.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit.ts';

export interface ConfigCheckOptions {
  readonly json?: boolean;
}

export interface ConfigShowOptions extends ConfigCheckOptions {
  readonly yaml?: boolean;
}

/** Adds `check`, `show` and `schema` to the command `config`. */
export function describeConfig(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command.description('check environment and onetake.yaml, show what they come to, or print the schema for editors');
  command
    .command('check', { isDefault: true })
    .description('every fault at once; exit code 0 without one, 2 with')
    .option('--json', 'print faults and notices as JSON')
    .action((options: ConfigCheckOptions) => run(checkConfig(context, options)));
  command
    .command('show')
    .description('what a gateway started here would go by, with every default; keys are told by where they come from')
    .option('--yaml', 'as YAML (the default)')
    .option('--json', 'as JSON')
    .action((options: ConfigShowOptions) => run(showConfig(context, options)));
  command
    .command('schema')
    .description('the JSON Schema of onetake.yaml; editors complete and check by it')
    .action(() => run(printSchema(context)));
}

/** Prints every fault, or `ok`. */
export async function checkConfig(
  { env, cwd, stdout, stderr }: CliContext,
  { json }: ConfigCheckOptions,
): Promise<number> {
  const { faults, notices } = readConfig({ env, cwd });
  const exitCode = faults.length === 0 ? EXIT.ok : EXIT.usage;
  if (json) {
    stdout.write(`${JSON.stringify({ ok: faults.length === 0, faults, notices })}\n`);
    return exitCode;
  }
  for (const notice of notices) stderr.write(`note: ${notice}\n`);
  stdout.write(faults.length === 0 ? 'ok\n' : `${faults.join('\n')}\n`);
  return exitCode;
}

function readConfig({ env, cwd }: Pick<CliContext, 'env' | 'cwd'>) {
  try {
    return { faults: [], notices: loadConfig({ env, cwd }).notices };
  } catch (error) {
    if (error instanceof ConfigError) return { faults: error.faults, notices: [] };
    throw error;
  }
}

/** Prints the configuration in force. */
export async function showConfig({ env, cwd, stdout }: CliContext, { json }: ConfigShowOptions): Promise<number> {
  const config = loadConfig({ env, cwd });
  const view = configView(config, catalogueFor(config));
  stdout.write(json ? `${JSON.stringify(view)}\n` : stringify(view));
  return EXIT.ok;
}

/** Prints the schema, for a file that editors are pointed to. */
export async function printSchema({ stdout }: CliContext): Promise<number> {
  stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  return EXIT.ok;
}
