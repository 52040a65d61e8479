import { type Catalogue, chatModelOf, modelOf, planImage, splitTarget } from '@onetake/core';
import { chatFacts } from '../../http/chat-models.ts';
import type { DoctorWorld } from '../world.ts';
import { announcedFor } from './announced.ts';

export type Ability = 'generate' | 'edit' | 'chat';

const DAY_MS = 86_400_000;

/** What a target can be planned for; empty for one that nothing can be sent to. */
export function abilitiesOf(target: string, catalogue: Catalogue): readonly Ability[] {
  const able: Ability[] = (['generate', 'edit'] as const).filter(
    (operation) => planImage({ operation, prompt: '-', n: 1 }, target, catalogue, {}, 0).ok,
  );
  return chatFacts(catalogue, target) === undefined ? able : [...able, 'chat'];
}

/** The end of a model, as far as anybody says. */
export interface End {
  /** ISO date. */
  readonly on: string;
  /** Whole days from now until it; 0 or less: it is gone. */
  readonly days: number;
  /** Without a provider. */
  readonly successor?: string;
}

/** When a target stops working: by the configuration or the model data, or by what its provider announced. */
export function endOf(
  target: string,
  { catalogue, io }: Pick<DoctorWorld, 'catalogue'> & { readonly io: Pick<DoctorWorld['io'], 'now'> },
): End | undefined {
  if (catalogue === undefined) return undefined;
  const { provider: id, model } = splitTarget(target);
  const kind = catalogue.connections.find((one) => one.id === id)?.provider.id ?? id;
  const announced = announcedFor(kind, model);
  const told = modelOf(target, catalogue)?.shutdownDate ?? chatModelOf(target, catalogue)?.shutdownDate;
  const on = told ?? announced?.on;
  const at = Date.parse(on ?? '');
  if (on === undefined || Number.isNaN(at)) return undefined;
  const days = Math.ceil((at - io.now()) / DAY_MS);
  return { on, days, ...(announced?.successor !== undefined && { successor: announced.successor }) };
}
