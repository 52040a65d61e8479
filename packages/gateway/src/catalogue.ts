import {
  type Catalogue,
  type Connection,
  openai,
  openaiCompatible,
  type Provider,
  type SandboxAddress,
  sandboxProvider,
  sandboxTaskProvider,
} from '@onetake/core';
import type { Config } from './config.ts';

/** What model names mean here: the configured providers in order, then the sandbox, which plays everything when alone. */
export function catalogueOf(config: Config, sandbox: (() => SandboxAddress) | undefined): Catalogue {
  const configured: Connection[] = config.providers.map(({ id, kind, baseUrl, secret, pool }) => ({
    id,
    provider: providerOf(kind, baseUrl),
    baseUrl,
    secret,
    ...(pool && { pool }),
  }));
  const connections = sandbox ? [...configured, ...sandboxConnections(sandbox)] : configured;
  const alone = configured.length === 0 && sandbox !== undefined;
  return {
    connections,
    routes: config.routes,
    // With a real provider configured, a request without a model must not be played by the sandbox.
    defaultModel: config.defaultModel ?? firstModel(alone ? connections : configured),
    ...(alone && { understudy: 'sandbox' }),
  };
}

function providerOf(kind: Config['providers'][number]['kind'], baseUrl: string): Provider {
  if (kind === 'sandbox-task') return sandboxTaskProvider(() => ({ url: baseUrl, refusePort: 0, resetPort: 0 }));
  return kind === 'openai' ? openai : openaiCompatible;
}

function sandboxConnections(sandbox: () => SandboxAddress): readonly Connection[] {
  return [sandboxProvider(sandbox), sandboxTaskProvider(sandbox)].map((provider) => ({
    id: provider.id,
    provider,
    // Asked anew each time: a sandbox that was started again listens elsewhere.
    get baseUrl() {
      return sandbox().url;
    },
    secret: '',
  }));
}

function firstModel(connections: readonly Connection[]): string | undefined {
  for (const { id, provider } of connections) {
    const [model] = provider.models;
    if (model) return `${id}/${model.id}`;
  }
  return undefined;
}
