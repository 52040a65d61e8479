import {
  type Catalogue,
  type Connection,
  openaiCompatible,
  type Provider,
  type SandboxAddress,
  sandboxProvider,
  sandboxTaskProvider,
} from '@onetake/core';
import { isLoopback } from './config/environment.ts';
import { imitationOf } from './config/imitations.ts';
import { withOverrides } from './config/models.ts';
import { protocolOf, SANDBOX_TASK } from './config/protocols.ts';
import type { Config } from './config.ts';

/**
 * What model names mean here: the configured providers in order, then the sandbox, which plays everything when alone.
 * `lists`: whether a provider's own list has a model, asked when a name is looked up.
 */
export function catalogueOf(
  config: Config,
  sandbox: (() => SandboxAddress) | undefined,
  lists?: Catalogue['lists'],
): Catalogue {
  const configured = config.providers.map((one) => connectionOf(one, config, sandbox));
  const connections = sandbox ? [...configured, ...sandboxConnections(sandbox)] : configured;
  // Who only chats leaves the pictures to it.
  const alone = sandbox !== undefined && !configured.some((one) => one.provider.image !== undefined);
  return {
    connections,
    routes: config.routes,
    promptRules: config.promptRules,
    // With a real provider configured, a request without a model must not be played by the sandbox.
    defaultModel: config.defaultModel ?? firstModel(alone ? connections : configured),
    ...(config.defaultChatModel !== undefined && { defaultChatModel: config.defaultChatModel }),
    ...(lists && { lists }),
    ...(alone && { understudy: 'sandbox' }),
    aliases: config.aliases,
  };
}

type Configured = Config['providers'][number];

function connectionOf(configured: Configured, config: Config, sandbox: (() => SandboxAddress) | undefined): Connection {
  const { id, kind, baseUrl, secret, pool, hosts, played } = configured;
  const provider = withOverrides(providerOf(configured), config, id);
  const isNear = played !== undefined || isLoopback(new URL(baseUrl).hostname);
  const fetches = isNear || config.publicUrl !== undefined;
  const connection = { id, provider, secret, fetches, ...(pool && { pool }), ...(hosts && { hosts }) };
  if (played === undefined || sandbox === undefined) return { ...connection, baseUrl };
  const stage = played.script === undefined ? '' : `/fault/${played.script}`;
  const path = imitationOf(kind) ?? '';
  return {
    ...connection,
    get baseUrl() {
      return `${sandbox().url}${stage}${path}`;
    },
  };
}

function providerOf({ kind, baseUrl, workflows }: Configured): Provider {
  if (kind === SANDBOX_TASK) return sandboxTaskProvider(() => ({ url: baseUrl, refusePort: 0, resetPort: 0 }));
  return protocolOf(kind, workflows) ?? openaiCompatible;
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
