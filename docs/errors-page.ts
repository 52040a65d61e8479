/** The reference page of known errors, made from the catalogue that `onetake explain` reads. */
import { knownErrors } from '../packages/gateway/src/explain/catalogue.ts';
import type { KnownError, KnownErrors } from '../packages/gateway/src/explain/known-error.ts';

export const ERRORS_PAGE = new URL('reference/errors.md', import.meta.url);

const NAMES: Readonly<Record<string, string>> = {
  local: 'Ollama, vLLM, LM Studio, LocalAI, stable-diffusion.cpp',
  network: 'Network and TLS, of any provider',
  http: 'Bare statuses, of any provider or proxy',
  onetake: 'Onetake itself',
};

export function errorsPage(): string {
  const groups = knownErrors();
  const count = groups.reduce((sum, { entries }) => sum + entries.length, 0);
  return `# Errors

Generated from \`packages/gateway/src/explain/data\`: ${count} errors that \`onetake explain\` and \`GET /v1/explain\` know.
\`retry\` is the same request again, \`key\` another key of the same provider, \`fallback\` the next target, \`billed\` whether
it may have cost money. The evidence says how it is known: \`source\` read in source code, \`documentation\`, \`third_party\`,
or \`unverified\`. What of a failure is decided by its kind stands in [failures](failures.md).

${groups.map(groupText).join('\n')}`;
}

function groupText({ provider, entries }: KnownErrors): string {
  return `## ${NAMES[provider] ?? provider}

| error | recognised by | kind | who | retry | key | fallback | billed | evidence |
|---|---|---|---|---|---|---|---|---|
${entries.map(row).join('\n')}

${entries.map(advice).join('\n')}
`;
}

function row(entry: KnownError): string {
  const { codes, statuses, phrases } = entry.match;
  const named = codes.map((code) => `\`${code}\``);
  const spoken = named.length > 0 ? [] : phrases.slice(0, 2).map((phrase) => `“${phrase}”`);
  const cells = [
    entry.title,
    [...named, ...spoken, ...statuses].join(', '),
    `\`${entry.kind}\``,
    entry.who.replaceAll('_', ' '),
    ...[entry.retry.useful, entry.another_key, entry.fallback, entry.billed],
    entry.source.verified,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function advice({ title, meaning, do: todo, link, source }: KnownError): string {
  const more = link === undefined ? '' : ` <${link}>`;
  return `- **${title}**: ${meaning} *${todo}*${more} (${source.from})`;
}
