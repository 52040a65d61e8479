import {
  blankChatModel,
  type ChatModel,
  isChatModel,
  isObject,
  type Model,
  type Provider,
  readChatModel,
  readModel,
  splitTarget,
} from '@onetake/core';
import { protocolOf } from './protocols.ts';
import type { ProviderConfig } from './providers.ts';
import type { Report } from './report.ts';

/** Models with what the user knows better, by provider and then by model; without prototypes. */
export interface ModelOverrides {
  readonly models: ByProvider<Model>;
  /** Those that chat instead of making pictures. */
  readonly chatModels: ByProvider<ChatModel>;
}

type ByProvider<Known> = Readonly<Record<string, Readonly<Record<string, Known>>>>;

/** Reads `models:`, facts by `provider/model` in the terms of the data files; what they leave out stays as it was. */
export function readModels(
  facts: Readonly<Record<string, unknown>>,
  providers: readonly ProviderConfig[],
  report: Report,
): ModelOverrides {
  const models: Record<string, Record<string, Model>> = Object.create(null);
  const chatModels: Record<string, Record<string, ChatModel>> = Object.create(null);
  for (const [target, given] of Object.entries(facts)) {
    const { provider: id, model } = splitTarget(target);
    const { kind, workflows } = providers.find((one) => one.id === id) ?? {};
    if (kind === undefined || model === '') {
      // The same file may serve where another set of keys is configured.
      report.notices.push(`models.${target}: no provider "${id}" is configured, so it is not read`);
      continue;
    }
    const protocol = protocolOf(kind, workflows);
    const where = `models.${target}`;
    try {
      if (protocol && isForChat(protocol, model, given)) {
        const known = protocol.chat?.models.find((one) => one.id === model) ?? blankChatModel(model);
        add(chatModels, id, readChatModel(model, given, known, where));
      } else add(models, id, readModel(model, given, protocol?.model(model) ?? blank(model), where));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      report.faults.push(error.message);
    }
  }
  return { models, chatModels };
}

function add<Known extends { readonly id: string }>(
  all: Record<string, Record<string, Known>>,
  provider: string,
  model: Known,
): void {
  all[provider] = Object.assign(all[provider] ?? Object.create(null), { [model.id]: model });
}

/** What is said of it is only said of models of chat; else by who has it, or by its name. */
function isForChat({ models, image, chat }: Provider, model: string, given: unknown): boolean {
  if (chat === undefined) return false;
  if (isObject(given)) {
    const tokens = isObject(given.price) ? given.price.per_million_tokens_usd : undefined;
    const isSaid = 'endpoints' in given || 'reasoning' in given || (isObject(tokens) && 'input' in tokens);
    if (isSaid) return true;
  }
  if (models.some(({ id }) => id === model)) return false;
  return image === undefined || isChatModel(model) || chat.models.some(({ id }) => id === model);
}

function blank(id: string): Model {
  return { id, maxImagesPerCall: 1, operations: ['generate'], streams: false };
}

/** The provider with what the user knows better of its models; those it did not know are listed too. */
export function withOverrides(provider: Provider, { models, chatModels }: ModelOverrides, id: string): Provider {
  return withChat(withImages(provider, models[id]), chatModels[id]);
}

function withImages(provider: Provider, overrides: Readonly<Record<string, Model>> | undefined): Provider {
  if (overrides === undefined) return provider;
  const ofModel = (id: string) => (Object.hasOwn(overrides, id) ? overrides[id] : undefined);
  return {
    ...provider,
    models: merged(provider.models, overrides),
    model: (id) => ofModel(id) ?? provider.model(id),
  };
}

function withChat(provider: Provider, overrides: Readonly<Record<string, ChatModel>> | undefined): Provider {
  const { chat } = provider;
  if (overrides === undefined || chat === undefined) return provider;
  return { ...provider, chat: { ...chat, models: merged(chat.models, overrides) } };
}

/** In their order, and then those that were not known. */
function merged<Known extends { readonly id: string }>(
  known: readonly Known[],
  overrides: Readonly<Record<string, Known>>,
): readonly Known[] {
  const added = Object.values(overrides).filter(({ id }) => !known.some((one) => one.id === id));
  return [...known.map((one) => (Object.hasOwn(overrides, one.id) ? (overrides[one.id] ?? one) : one)), ...added];
}
