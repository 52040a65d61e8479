import { isChatPlan, type JsonObject, type PlannedTarget } from '@onetake/core';
import { type AnyPlan, promptOf } from '../store/plan-kind.ts';
import { type Attributes, attributesOf } from './span.ts';

/**
 * OpenTelemetry's semantic conventions for generative AI (in development, as of 1.41), as far as they say something of
 * what we do. https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md
 */
export function operationOf(plan: AnyPlan): 'chat' | 'embeddings' | 'generate_content' {
  // No name of theirs says picture: that is in `gen_ai.output.type`.
  if (!isChatPlan(plan)) return 'generate_content';
  return plan.chat.endpoint === 'embeddings' ? 'embeddings' : 'chat';
}

/** Their names for providers that we call otherwise; any other is called by its own. */
const PROVIDER_NAMES: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  google: 'gcp.gemini',
  mistral: 'mistral_ai',
  vertex: 'gcp.vertex_ai',
  xai: 'x_ai',
};

export function providerName({ provider }: Pick<PlannedTarget, 'provider'>): string {
  return PROVIDER_NAMES[provider] ?? provider;
}

/** What every span about this request says. */
export function requestAttributes(plan: AnyPlan, model: string): Attributes {
  const isChat = isChatPlan(plan);
  const count = isChat ? plan.chat.answers : plan.request.n;
  return attributesOf({
    'gen_ai.operation.name': operationOf(plan),
    'gen_ai.request.model': model,
    'gen_ai.output.type': isChat ? undefined : 'image',
    'gen_ai.request.choice.count': count !== undefined && count > 1 ? count : undefined,
  });
}

/** Tokens, where the answer told them, or where they were estimated because it did not. */
export function usageAttributes(usage: JsonObject | undefined): Attributes {
  const tokens = (name: string) => {
    const value = usage?.[name];
    return typeof value === 'number' ? value : undefined;
  };
  return attributesOf({
    'gen_ai.usage.input_tokens': tokens('input_tokens'),
    'gen_ai.usage.output_tokens': tokens('output_tokens'),
    'onetake.usage.estimated': usage?.estimated === true ? true : undefined,
  });
}

/** Where somebody asked for prompts in traces: of pictures the prompt, of chat the beginning of what was said last. */
export function promptAttributes(plan: AnyPlan): Attributes {
  const content = promptOf(plan).slice(0, MAX_PROMPT_CHARS);
  if (content === '') return {};
  return { 'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: [{ type: 'text', content }] }]) };
}

const MAX_PROMPT_CHARS = 4_000;
