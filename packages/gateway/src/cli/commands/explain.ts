import type { Command } from 'commander';
import { explainedProviders } from '../../explain/catalogue.ts';
import { MAX_TEXT_CHARACTERS } from '../../explain/evidence.ts';
import { type Explanation, explain, type Found } from '../../explain/explain.ts';
import type { KnownError } from '../../explain/known-error.ts';
import { explanationView } from '../../explain/view.ts';
import type { CliContext } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { heading, widthOf, wrapped } from '../text.ts';

export interface ExplainOptions {
  readonly provider?: string;
  readonly json?: boolean;
}

/** Adds what `explain` takes: the error in words, or `-` for standard input. */
export function describeExplain(
  command: Command,
  context: CliContext,
  run: (command: Promise<number>) => Promise<void>,
): void {
  command
    .description('say what an error means, who has to act, and what helps; offline')
    .argument('<text...>', 'a message, a code, a status or a pasted answer; - reads standard input')
    .option('--provider <name>', 'whose error it is')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExit codes: 0 known, 1 nothing but what is near.')
    .action((text: readonly string[], options: ExplainOptions) => run(explainText(context, text, options)));
}

/** Prints what the error means; returns 0 where it is known and 1 where there is only what is near. */
export async function explainText(
  context: CliContext,
  words: readonly string[],
  { provider, json }: ExplainOptions,
): Promise<number> {
  if (provider !== undefined && !explainedProviders().includes(provider)) {
    throw new CliError(
      `--provider ${provider}: nobody of that name is known; it is one of ${explainedProviders().join(', ')}`,
      EXIT.usage,
    );
  }
  const text = words.length === 1 && words[0] === '-' ? await readInput(context) : words.join(' ');
  if (text.trim() === '')
    throw new CliError('explain: there is no text; give an error message or its code', EXIT.usage);
  const explanation = explain(text, { provider });
  const printed = json ? JSON.stringify(explanationView(explanation)) : explanationText(explanation, context);
  context.stdout.write(`${printed}\n`);
  return explanation.known ? EXIT.ok : EXIT.failed;
}

/** Standard input, as much of it as is read of a text. */
async function readInput({ stdin }: CliContext): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stdin ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= MAX_TEXT_CHARACTERS) break;
  }
  return text.slice(0, MAX_TEXT_CHARACTERS);
}

function explanationText({ known, found, general }: Explanation, context: CliContext): string {
  if (known) return knownText(found, context);
  const parts = found.length === 0 ? ['nothing like it is known here'] : [nearText(found, context)];
  if (general !== undefined) parts.push(`its class: ${general.kind}\n  ${general.advice}`);
  return parts.join('\n\n');
}

function knownText([first, ...others]: readonly Found[], context: CliContext): string {
  const also = others.map((one) => `  ${headOf(one)}`);
  const shown = first === undefined ? '' : entryText(first, context);
  return also.length === 0 ? shown : `${shown}\n\nor, less likely:\n${also.join('\n')}`;
}

function nearText(found: readonly Found[], context: CliContext): string {
  return `not known; nearest:\n\n${found.map((one) => entryText(one, context)).join('\n\n')}`;
}

const OWNERS: Readonly<Record<KnownError['who'], string>> = {
  caller: 'the caller: whoever sends the request',
  operator: 'the operator of the gateway or of the server',
  account_owner: 'the owner of the account at the provider',
  provider: 'the provider',
  network_admin: 'whoever runs the network, proxy or DNS between',
  nobody: 'nobody: it passes',
};

/** With the status that the text told, or all that it comes with. */
function headOf({ entry: { id, title, match }, matched }: Found): string {
  const told = match.statuses.filter((status) => matched.includes(`status ${status}`));
  const statuses = (told.length > 0 ? told : match.statuses).join(', ');
  return `${id.slice(0, id.indexOf('/'))} · ${title}${statuses === '' ? '' : ` (${statuses})`}`;
}

function entryText(found: Found, context: CliContext): string {
  const { entry } = found;
  const { meaning, who, retry, link, source } = entry;
  const width = widthOf(context.stdout);
  const told = (name: string, text: string) => wrapped(text, `  ${name.padEnd(7)}`, '         ', width);
  const key = entry.another_key_when ?? entry.another_key;
  const lines = [
    heading(headOf(found), context.stdout, context),
    ...told('means', meaning),
    ...told('who', OWNERS[who]),
    ...wrapped(
      `retry: ${retry.useful} · another key: ${key} · fallback: ${entry.fallback} · billed: ${entry.billed}`,
      '  ',
      '         ',
      width,
    ),
    ...told('when', retry.when),
    ...told('do', entry.do),
    ...(link === undefined ? [] : [`  link   ${link}`]),
    ...(source.verified === 'unverified' ? told('known', `unverified: ${source.from}`) : []),
  ];
  return lines.join('\n');
}
