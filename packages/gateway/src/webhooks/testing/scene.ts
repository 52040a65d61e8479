import type { JsonObject } from '@onetake/core';
import { type Behaviour, createScriptedIo, type Sent } from '@onetake/core/testing';
import type { WebhookRow } from '../../store/store.ts';
import { createWebhookDeliverer, type DelivererOptions } from '../deliverer.ts';
import { createFakeOutbox } from './fake-outbox.ts';

/** `whsec_` and 32 bytes of the letter s. */
export const SECRET = `whsec_${Buffer.alloc(32, 's').toString('base64')}`;
export const URL_OF_HOOK = 'https://app.example/hooks';
export const START = Date.UTC(2026, 10, 21, 7, 30);

export interface SceneOptions extends Partial<Omit<DelivererOptions, 'store' | 'io'>> {
  readonly play: (request: Sent['request'], index: number) => Behaviour;
}

export function answer(status: number, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return { kind: 'answer', afterMs: 10, status, headers, body: '{}' };
}

/** A deliverer on an outbox in memory, a scripted network and virtual time. */
export function scene({ play, ...options }: SceneOptions) {
  const io = createScriptedIo(play, START);
  const outbox = createFakeOutbox();
  const logged: object[] = [];
  const log = { warn: (fields: object) => logged.push(fields), error: (fields: object) => logged.push(fields) };
  const payload = async (generation: string): Promise<JsonObject | undefined> => ({
    id: generation,
    status: 'completed',
  });
  const start = () =>
    createWebhookDeliverer({
      payload,
      secretOf: async () => SECRET,
      allowPrivate: false,
      random: () => 0.5,
      ...options,
      log: log as unknown as DelivererOptions['log'],
      store: outbox,
      io,
    });

  /** Lets the deliverer run until every row satisfies `check`, and stops it. */
  async function runUntil(check: (row: WebhookRow) => boolean): Promise<readonly WebhookRow[]> {
    const deliverer = start();
    const rows = await io.drive(outbox.until((all) => all.length > 0 && all.every(check)));
    await io.drive(deliverer.stop());
    return rows;
  }

  /** Puts an event into the outbox, of a generation that has a webhook. */
  async function put(
    id: string,
    { type = 'task.completed', at = START, generation = 'gen_1', url = URL_OF_HOOK } = {},
  ) {
    outbox.register(generation, { url, events: [type] });
    await outbox.notify(generation, { id, type, at });
  }

  return { io, outbox, logged, start, runUntil, put, settled: () => runUntil((row) => row.state !== 'waiting') };
}
