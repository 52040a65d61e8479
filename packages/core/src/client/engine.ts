import { randomUUID } from 'node:crypto';
import { createMemoryCells } from '../cells.ts';
import { type Connection, type Repeats, RUN_LIMITS, type RunEnvironment } from '../environment.ts';
import { createHealthBook } from '../health.ts';
import type { AssetStore } from '../images/asset.ts';
import { createMemoryAssets } from '../images/memory-assets.ts';
import type { Io } from '../io.ts';
import type { Event, Journal } from '../journal.ts';
import type { Catalogue, PolicySettings, Route } from '../model-names.ts';
import { createPacer } from '../pacer.ts';
import type { ConfiguredRules } from '../plan-prompt.ts';
import { createFairClock } from '../policy/fair-queue.ts';
import type { PromptRules } from '../policy/prompt-rules.ts';
import { starterRules } from '../policy/prompt-rules-file.ts';
import { PROVIDERS } from '../providers/index.ts';
import { openaiCompatible } from '../providers/openai.ts';
import type { Limits } from '../rate.ts';
import { createRepeats } from '../repeats.ts';
import { limitsOf } from '../route.ts';
import { systemIo } from '../system-io.ts';
import { createTurns } from '../turns.ts';

/** A provider the client may use; the secret is only ever given to its adapter's `authorize`. */
export interface ClientProvider {
  /** Which protocol it speaks, the id of one of `PROVIDERS`; default: the provider's own name, else OpenAI's. */
  readonly kind?: string;
  readonly apiKey?: string;
  /** Default: the provider's public address. */
  readonly baseUrl?: string;
}

export interface ClientConfig {
  readonly providers: Readonly<Record<string, ClientProvider>>;
  readonly routes?: Readonly<Record<string, Route>>;
  /** For pictures without a `model`. */
  readonly defaultModel?: string;
  /** For chat without a `model`. */
  readonly defaultChatModel?: string;
  readonly policy?: PolicySettings;
  /** `on` holds prompts against the rules that ship; rules of your own are read by `readPromptRules`. Default off. */
  readonly promptRules?: 'on' | 'off' | PromptRules;
  /** What providers allow, by target or `provider/*`; what is not told here is learned from their answers. */
  readonly limits?: Readonly<Record<string, Limits>>;
  /** Pictures kept in memory at most, in bytes; default 256 MiB. */
  readonly maxImageBytes?: number;
  /** Sees every journal event as it is recorded. */
  readonly onEvent?: (event: Event) => void;
  /** Clock and network; default the system's. */
  readonly io?: Io;
}

/** What all calls of one client share: breakers, hints, limits, who waits for a turn, and the pictures in memory. */
export interface Engine {
  readonly io: Io;
  readonly assets: AssetStore;
  readonly catalogue: Catalogue;
  /** The settings of the client, which win over a route's and give way to a call's. */
  readonly policy: PolicySettings;
  /** Keeps the repeats of chat to a share of its calls. */
  readonly repeats: Repeats;
  /** What the runs of one call need; `weight` is what it counts in a queue. */
  environment(weight: number, cancel: AbortSignal): RunEnvironment;
  journal(): Journal;
  /** Names a run; what is drawn by chance, such as a wait, is drawn by it. */
  nextRunId(): string;
  close(): Promise<void>;
}

const DEFAULT_IMAGE_BYTES = 256 * 1024 * 1024;

/** Throws a `TypeError` that names the field where a provider cannot be reached as it is configured. */
export function createEngine(config: ClientConfig): Engine {
  const io = config.io ?? systemIo();
  const assets = createMemoryAssets({ maxBytes: config.maxImageBytes ?? DEFAULT_IMAGE_BYTES });
  const health = createHealthBook();
  const clock = createFairClock();
  const catalogue: Catalogue = {
    connections: Object.entries(config.providers).map(([id, provider]) => connect(id, provider)),
    routes: config.routes ?? {},
    defaultModel: config.defaultModel,
    ...(config.defaultChatModel !== undefined && { defaultChatModel: config.defaultChatModel }),
    promptRules: rulesOf(config.promptRules),
  };
  const limits = (target: string) => limitsOf(target, config.limits ?? {}, catalogue);
  const pacer = createPacer({ limits, cells: createMemoryCells(), io });
  const ticketAt = (target: string, weight: number) => ({
    caller: '',
    tag: clock.tag(target, '', 'interactive', weight).tag,
  });
  return {
    io,
    assets,
    catalogue,
    policy: config.policy ?? {},
    repeats: createRepeats(io),
    environment: (weight, cancel) => ({
      io,
      assets,
      health,
      turns: createTurns({ pacer, health, io, clock, ticket: (target) => ticketAt(target, weight) }),
      connection: (id) => catalogue.connections.find((one) => one.id === id),
      presence: () => ({ unsentGraceMs: 0 }),
      onPresence: () => () => {},
      cancel,
      park: new AbortController().signal,
      limits: RUN_LIMITS,
    }),
    journal: () => memoryJournal(config.onEvent),
    nextRunId: () => `run:${randomUUID()}`,
    close: async () => {
      if ('close' in io && typeof io.close === 'function') await io.close();
    },
  };
}

/** A policy may switch on the rules that ship where none are configured. */
function rulesOf(given: ClientConfig['promptRules'] = 'off'): ConfiguredRules {
  const rules = typeof given === 'string' ? starterRules() : given;
  return { rules, everywhere: given !== 'off' };
}

function connect(id: string, { kind, apiKey, baseUrl }: ClientProvider): Connection {
  const native = PROVIDERS.find((provider) => provider.id === (kind ?? id));
  if (kind !== undefined && native === undefined) {
    const known = PROVIDERS.map((provider) => provider.id).join(', ');
    throw new TypeError(`providers.${id}.kind: expected one of ${known}, got "${kind}"`);
  }
  const provider = native ?? openaiCompatible;
  const address = baseUrl ?? provider.access?.baseUrl;
  if (address === undefined)
    throw new TypeError(`providers.${id}.baseUrl: missing; "${id}" has no known public address`);
  return { id, provider, baseUrl: address.replace(/\/+$/, ''), secret: apiKey ?? '' };
}

function memoryJournal(onEvent?: (event: Event) => void): Journal {
  const events: Event[] = [];
  return {
    events,
    append: async (added) => {
      events.push(...added);
      for (const event of added) onEvent?.(event);
    },
  };
}
