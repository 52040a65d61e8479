import {
  type Catalogue,
  type Connection,
  openai,
  openaiCompatible,
  type SandboxAddress,
  sandboxProvider,
} from '@onetake/core';
import type { Config } from './config.ts';

/** What model names mean here: the configured providers in order, then the sandbox, which plays everything when alone. */
export function catalogueOf(config: Config, sandbox: (() => SandboxAddress) | undefined): Catalogue {
  const configured: Connection[] = config.providers.map(({ id, kind, baseUrl, secret }) => ({
    id,
    provider: kind === 'openai' ? openai : openaiCompatible,
    baseUrl,
    secret,
  }));
  const connections = sandbox
    ? [...configured, { id: 'sandbox', provider: sandboxProvider(sandbox), baseUrl: sandbox().url, secret: '' }]
    : configured;
  const alone = configured.length === 0 && sandbox !== undefined;
  return {
    connections,
    routes: config.routes,
    // With a real provider configured, a request without a model must not be played by the sandbox.
    defaultModel: config.defaultModel ?? firstModel(alone ? connections : configured),
    ...(alone && { understudy: 'sandbox' }),
  };
}

function firstModel(connections: readonly Connection[]): string | undefined {
  for (const { id, provider } of connections) {
    const [model] = provider.models;
    if (model) return `${id}/${model.id}`;
  }
  return undefined;
}
