/** The reference page of providers, made from adapters, model data and fixtures. */
import { existsSync, readFileSync } from 'node:fs';
import { CHAT_ENDPOINTS, type ChatModel, type Model, PROVIDERS, type Provider } from '@onetake/core';

export const PROVIDERS_PAGE = new URL('reference/providers.md', import.meta.url);

const ADAPTERS = new URL('../packages/core/src/providers/', import.meta.url);

interface Evidence {
  readonly asOf: string;
  readonly strength: string;
  readonly sources: readonly string[];
  /** Recorded or documented answers that the adapter's tests read. */
  readonly answers: number;
}

export function providersPage(): string {
  const known = PROVIDERS.map((provider) => ({ provider, evidence: evidenceOf(provider.id) }));
  const chatEvidence = evidenceOf('openai-chat');
  return `# Providers

Generated from the adapters in \`packages/core/src/providers\`, their model data and their fixtures. A provider is
configured by its variable (or the same with \`_FILE\`), or under \`providers:\` in \`onetake.yaml\`; see the guide.

## Features

\`by id\`: a job is submitted and looked up by its id, so a lost connection loses no picture. \`free\`: nothing is billed, so
what was lost is made again. Evidence: **strong** is read in an SDK's or the server's source, **medium** in the provider's
documentation, **weak** in third-party code or inferred; \`answers\` counts the recorded or documented answers in its tests.
\`chat\`: which of OpenAI's endpoints it has; who makes no pictures has nothing else.

DeepSeek, Groq, Mistral, OpenRouter and every other server that speaks OpenAI's chat need no adapter: give them a name, a
\`base_url\` and a key under \`providers:\`; a name that is not in this table is of kind \`openai-compatible\`.

| provider | key | mode | edits | mask | several at once | seed | negative | cancel | news by webhook | chat | evidence | answers |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
${known.map(({ provider, evidence }) => featureRow(provider, evidence)).join('\n')}

## Models

Prices are in US dollars a picture, or a million tokens; a price nobody knows is never taken for 0. \`models:\` in
\`onetake.yaml\` overrides every fact.

| model | operations | size | most at once | price | stops |
|---|---|---|---|---|---|
${PROVIDERS.flatMap((provider) => provider.models.map((model) => modelRow(provider, model))).join('\n')}

## Models of chat

Those whose price is known, a million tokens. Any other is asked for as \`provider/model\`, or by its bare name where that
is clear; its cost is unknown until \`models:\` in \`onetake.yaml\` says it. What bills nothing has no price to know.

| model | endpoints | price | reasons first | stops |
|---|---|---|---|---|
${PROVIDERS.filter(isOfItsOwn)
  .flatMap(({ id, chat }) => (chat?.models ?? []).map((model) => chatRow(id, model)))
  .join('\n')}

## Sources

${known.map(({ provider, evidence }) => `- \`${provider.id}\`, ${evidence.asOf}: ${evidence.sources.join('; ')}`).join('\n')}
- \`openai\`, models of chat, ${chatEvidence.asOf}: ${chatEvidence.sources.join('; ')}
`;
}

function evidenceOf(id: string): Evidence {
  const data = read(new URL(`data/${id}.json`, ADAPTERS));
  const fixtures = read(new URL(`fixtures/${id}.json`, ADAPTERS));
  const strength = data.evidence ?? fixtures.evidence;
  return {
    asOf: typeof data.as_of === 'string' ? data.as_of : AS_OF,
    strength: typeof strength === 'string' ? strength : '',
    sources: Array.isArray(data.sources) ? data.sources.map(String) : [String(fixtures.source ?? '')],
    answers: Array.isArray(fixtures.answers) ? fixtures.answers.length : 0,
  };
}

/** Of protocols without a list of models. */
const AS_OF = '2026-11-21';

function read(file: URL): Readonly<Record<string, unknown>> {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

function featureRow(provider: Provider, { strength, answers }: Evidence): string {
  const { image, access = {}, models, resubmit, chat } = provider;
  const some = (has: (model: Model) => boolean) => (models.some(has) ? 'yes' : '');
  const mode = [...(image ? [image.poll ? 'by id' : 'at once'] : []), ...(resubmit === 'safe' ? ['free'] : [])].join(
    ', ',
  );
  const cells = [
    `\`${provider.id}\``,
    (access.keyVariables ?? []).map((name) => `\`${name}\``).join(' '),
    mode,
    some((model) => model.operations.includes('edit')),
    masksOf(models),
    most(models),
    some(({ capabilities }) => capabilities?.maxSeed !== undefined),
    some(({ capabilities }) => capabilities?.negativePrompt === true),
    image?.cancel ? 'yes' : '',
    takesWebhook(provider) ? 'yes' : '',
    chat ? endpointsOf(provider) : '',
    strength,
    String(answers),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** A model has every endpoint, or nobody knows it: only the provider's word counts. */
function endpointsOf({ chat, access }: Provider): string {
  const context = { baseUrl: access?.baseUrl ?? 'https://resource.example', model: 'a' };
  return CHAT_ENDPOINTS.filter((endpoint) => chat?.url(endpoint, context) !== undefined)
    .map((endpoint) => endpoint.replace('chat/completions', 'chat'))
    .join(', ');
}

/** OpenAI in the background has the same models at the same prices. */
function isOfItsOwn({ id }: Provider): boolean {
  return id !== 'openai-responses';
}

function chatRow(provider: string, { id, endpoints, price, reasoning, shutdownDate = '' }: ChatModel): string {
  const cells = [`\`${provider}/${id}\``, endpoints.join(', '), chatPrice(price), reasoning ? 'yes' : '', shutdownDate];
  return `| ${cells.join(' | ')} |`;
}

function chatPrice(price: ChatModel['price']): string {
  if (price === undefined || !('perMillionTokensUsd' in price)) return 'unknown';
  const { textInput, cachedInput, output } = price.perMillionTokensUsd;
  return `${textInput} input${cachedInput === undefined ? '' : `, ${cachedInput} cached`}, ${output} output`;
}

function masksOf(models: readonly Model[]): string {
  const marks = new Set(models.flatMap(({ capabilities }) => capabilities?.mask ?? []));
  return [...marks].join(', ');
}

function most(models: readonly Model[]): string {
  const counts = models.map((model) => model.maxImagesPerCall);
  return counts.length === 0 ? '' : String(Math.max(...counts));
}

const WEBHOOK = 'https://onetake.example/v1/jobs/run/token';

/** Whether it is told where to send news shows in what is sent. */
function takesWebhook({ image, models, access }: Provider): boolean {
  if (image?.poll === undefined) return false;
  const context = { runId: 'run', attempt: 1, model: models[0]?.id ?? 'a/b', webhookUrl: WEBHOOK };
  const baseUrl = access?.baseUrl ?? 'http://127.0.0.1';
  const request = image.submit.build({ operation: 'generate', prompt: 'a fox', n: 1 }, { ...context, baseUrl });
  return decodeURIComponent(JSON.stringify(request)).includes(WEBHOOK);
}

function modelRow({ id: provider }: Provider, model: Model): string {
  const { id, operations, maxImagesPerCall, price, shutdownDate = '' } = model;
  const cells = [`\`${provider}/${id}\``, operations.join(', '), sizeOf(model), maxImagesPerCall, priceText(price)];
  return `| ${cells.join(' | ')} | ${shutdownDate} |`;
}

function sizeOf({ capabilities }: Model): string {
  const { size } = capabilities ?? {};
  switch (size?.kind) {
    case undefined:
    case 'any':
      return 'as asked';
    case 'fixed':
      return 'its own';
    case 'list':
      return `${size.sizes.length} sizes`;
    case 'pixels':
      return `${size.minSide} to ${size.maxSide} pixels a side`;
    case 'ratio':
      return `${size.ratios.length} ratios${size.resolutions ? ` at ${size.resolutions.map(([name]) => name).join(', ')}` : ''}`;
  }
}

function priceText(price: Model['price']): string {
  if (price === undefined) return 'unknown';
  if ('perMegapixelUsd' in price) return `${price.perMegapixelUsd} a megapixel`;
  if ('perImageUsd' in price) return pictureText(price.perImageUsd);
  const { textInput, imageInput, output } = price.perMillionTokensUsd;
  return `${textInput} text, ${imageInput} image, ${output} output`;
}

function pictureText(price: number | readonly { readonly usd: number }[]): string {
  const amounts = typeof price === 'number' ? [price] : price.map(({ usd }) => usd);
  const [lowest, highest] = [Math.min(...amounts), Math.max(...amounts)];
  if (highest === 0) return 'free';
  return lowest < highest ? `${lowest} to ${highest}` : `${highest}`;
}
