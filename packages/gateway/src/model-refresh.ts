import { type Catalogue, type Io, type ListedModel, listModels, splitTarget } from '@onetake/core';
import type { Logger } from 'pino';

export interface ModelRefreshOptions {
  readonly catalogue: Pick<Catalogue, 'connections'>;
  readonly io: Io;
  readonly log: Logger;
}

/** What providers say of their models today. */
export interface ModelRefresh {
  /** As its provider lists it; undefined where it does not, or was not asked. */
  listed(target: string): ListedModel | undefined;
  /** Of a provider, in its order; empty where it was not asked yet. */
  models(provider: string): Iterable<ListedModel>;
  stop(): void;
}

const EVERY_MS = 24 * 3_600_000;
const MAX_MODELS = 10_000;

/** Asks every provider that lists its models, now and once a day. What cannot be asked leaves what is known as it is. */
export function startModelRefresh({ catalogue, io, log }: ModelRefreshOptions): ModelRefresh {
  const known = new Map<string, ReadonlyMap<string, ListedModel>>();
  let stopTimer = () => {};
  let stopped = false;

  const ask = async (connection: Catalogue['connections'][number]) => {
    const answer = await listModels(connection, io);
    if (answer === undefined || stopped) return;
    if ('failure' in answer) {
      return log.info({ provider: connection.id, kind: answer.failure.kind }, 'its models could not be listed');
    }
    known.set(connection.id, new Map(answer.models.slice(0, MAX_MODELS).map((model) => [model.id, model])));
  };
  const refresh = () => {
    for (const connection of catalogue.connections) {
      ask(connection).catch((err: unknown) => log.error({ err, provider: connection.id }, 'listing models failed'));
    }
    stopTimer = io.timer(io.now() + EVERY_MS, refresh);
  };
  refresh();
  return {
    listed(target) {
      const { provider, model } = splitTarget(target);
      return known.get(provider)?.get(model);
    },
    models: (provider) => known.get(provider)?.values() ?? [],
    stop() {
      stopped = true;
      stopTimer();
    },
  };
}
