import { type Model, type Provider, readModel, splitTarget } from '@onetake/core';
import { protocolOf } from './protocols.ts';
import type { ProviderConfig } from './providers.ts';
import type { Report } from './report.ts';

/** Models with what the user knows better, by provider and then by model. */
export type ModelOverrides = Readonly<Record<string, Readonly<Record<string, Model>>>>;

/** Reads `models:`, facts by `provider/model` in the terms of the data files; what they leave out stays as it was. */
export function readModels(
  facts: Readonly<Record<string, unknown>>,
  providers: readonly ProviderConfig[],
  report: Report,
): ModelOverrides {
  const overrides: Record<string, Record<string, Model>> = Object.create(null);
  for (const [target, given] of Object.entries(facts)) {
    const { provider: id, model } = splitTarget(target);
    const { kind, workflows } = providers.find((one) => one.id === id) ?? {};
    if (kind === undefined || model === '') {
      // The same file may serve where another set of keys is configured.
      report.notices.push(`models.${target}: no provider "${id}" is configured, so it is not read`);
      continue;
    }
    const known = protocolOf(kind, workflows)?.model(model) ?? blank(model);
    try {
      overrides[id] = Object.assign(overrides[id] ?? Object.create(null), {
        [model]: readModel(model, given, known, `models.${target}`),
      });
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      report.faults.push(error.message);
    }
  }
  return overrides;
}

function blank(id: string): Model {
  return { id, maxImagesPerCall: 1, operations: ['generate'], streams: false };
}

/** The provider with what the user knows better of its models; one it did not know is listed too. */
export function withOverrides(provider: Provider, overrides: Readonly<Record<string, Model>> | undefined): Provider {
  if (overrides === undefined) return provider;
  const ofModel = (id: string) => (Object.hasOwn(overrides, id) ? overrides[id] : undefined);
  const added = Object.values(overrides).filter(({ id }) => !provider.models.some((one) => one.id === id));
  return {
    ...provider,
    models: [...provider.models.map((model) => ofModel(model.id) ?? model), ...added],
    model: (id) => ofModel(id) ?? provider.model(id),
  };
}
