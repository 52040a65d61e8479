/** Writes the reference pages that are made from code; a test proves that they are up to date. */
import { writeFile } from 'node:fs/promises';
import {
  billed,
  type Certainty,
  chatAdvice,
  chatHttpAnswer,
  FAILURES,
  type Failure,
  type FailureKind,
  httpAnswer,
} from '@onetake/core';
import { ERRORS_PAGE, errorsPage } from './errors-page.ts';
import { PROVIDERS_PAGE, providersPage } from './providers-page.ts';

export const FAILURES_PAGE = new URL('reference/failures.md', import.meta.url);

const CERTAINTIES: readonly (readonly [Certainty, string, string])[] = [
  ['not_sent', 'the request provably never left', 'freely'],
  ['rejected', 'the provider answered that it did no work', 'by kind and hint'],
  ['failed', 'the provider’s own words that it tried and failed', 'as a payment, under `standard` and `available`'],
  ['ambiguous', 'bytes left and no verdict came; the work may be done and billed', 'as a payment, under `available`'],
  ['completed', 'the work was done and nothing usable came', 'never by itself'],
];

const BREAKERS = { target: 'counts against the model', credential: 'closes the key', ignored: '' } as const;

export function failuresPage(): string {
  const kinds = Object.keys(FAILURES) as FailureKind[];
  return `# Failures

Generated from \`packages/core/src/failure.ts\`. Every failure carries two facts: its **certainty**, which decides about
repeats and the bill, and its **kind**, which is the cause.

## Certainty

| certainty | means | billed | repeated |
|---|---|---|---|
${CERTAINTIES.map(certaintyRow).join('\n')}

A failure of pictures that is \`failed\` or \`ambiguous\` is answered with 424, a refused content that may be billed with its
400: many clients repeat every 429 and 5xx by themselves, so those stand only where a repeat costs nothing. Failures of
[chat](../guide/chat.md) have the natural status of their cause, whatever the certainty.

## Kinds

The certainty is the usual one; an answer may say otherwise. \`HTTP\`, \`type\` and \`code\` are those of pictures; \`chat\`
is the status of chat, with its code where that is another. \`retry\` is the same target again, \`fallback\` the next one.

| kind | certainty | HTTP | type | code | chat | retry | fallback | breaker |
|---|---|---|---|---|---|---|---|---|
${kinds.map(kindRow).join('\n')}

In chat a \`server\` keeps the provider's own 5xx or 409, and of \`invalid\`, \`capability\`, \`permission\`, \`not_found\` and
\`too_large\` the code that the provider gave. A \`network\` that is \`ambiguous\` is a 502 \`connection_lost\`.

## What to do

${kinds.map(adviceLine).join('\n')}
`;
}

function certaintyRow([certainty, meaning, repeated]: (typeof CERTAINTIES)[number]): string {
  const answer = billed({ kind: 'server', certainty, message: '' });
  return `| \`${certainty}\` | ${meaning} | ${answer} | ${repeated} |`;
}

function kindRow(kind: FailureKind): string {
  const { certainty, retry, fallback, breaker } = FAILURES[kind];
  const { status, type, code } = httpAnswer(usual(kind));
  const chat = chatHttpAnswer(usual(kind));
  const yes = (may: boolean) => (may ? 'yes' : '');
  const cells = [
    ...[`\`${kind}\``, `\`${certainty}\``, status, `\`${type}\``, `\`${code}\``],
    chat.code === code ? chat.status : `${chat.status} \`${chat.code}\``,
    ...[yes(retry), yes(fallback), BREAKERS[breaker]],
  ];
  return `| ${cells.join(' | ')} |`;
}

function adviceLine(kind: FailureKind): string {
  const { advice } = FAILURES[kind];
  const inChat = chatAdvice(usual(kind));
  return `- \`${kind}\`: ${advice}${inChat === advice ? '' : ` In chat: ${inChat}`}`;
}

function usual(kind: FailureKind): Failure {
  return { kind, certainty: FAILURES[kind].certainty, message: '' };
}

if (import.meta.main) {
  await writeFile(FAILURES_PAGE, failuresPage());
  await writeFile(PROVIDERS_PAGE, providersPage());
  await writeFile(ERRORS_PAGE, errorsPage());
}
