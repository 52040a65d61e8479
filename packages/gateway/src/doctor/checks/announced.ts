import { retirementOf } from '@onetake/core';
import { protocolOf } from '../../config/protocols.ts';

const OPENAI = ['openai', 'openai-responses'];

/** When a model ends (ISO date) at who made it, as far as that was announced, and what comes after it. */
export function announcedFor(
  kind: string,
  model: string,
): { readonly on: string; readonly successor?: string } | undefined {
  const { shutdownDate, successor } = protocolOf(kind)?.model(model) ?? {};
  if (shutdownDate !== undefined) return { on: shutdownDate, ...(successor !== undefined && { successor }) };
  const retired = retirementOf(model);
  if (retired === undefined || !(retired.provider === kind || (retired.provider === 'openai' && OPENAI.includes(kind))))
    return undefined;
  return { on: retired.retiredOn, successor: retired.successor };
}
