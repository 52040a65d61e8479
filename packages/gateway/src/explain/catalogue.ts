import type { FailureKind } from '@onetake/core';
import automatic1111 from './data/automatic1111.json' with { type: 'json' };
import azure from './data/azure.json' with { type: 'json' };
import bedrock from './data/bedrock.json' with { type: 'json' };
import bfl from './data/bfl.json' with { type: 'json' };
import comfyui from './data/comfyui.json' with { type: 'json' };
import deepinfra from './data/deepinfra.json' with { type: 'json' };
import evolink from './data/evolink.json' with { type: 'json' };
import fal from './data/fal.json' with { type: 'json' };
import fireworks from './data/fireworks.json' with { type: 'json' };
import foxapi from './data/foxapi.json' with { type: 'json' };
import google from './data/google.json' with { type: 'json' };
import http from './data/http.json' with { type: 'json' };
import ideogram from './data/ideogram.json' with { type: 'json' };
import leonardo from './data/leonardo.json' with { type: 'json' };
import local from './data/local.json' with { type: 'json' };
import luma from './data/luma.json' with { type: 'json' };
import midjourney from './data/midjourney.json' with { type: 'json' };
import network from './data/network.json' with { type: 'json' };
import onetake from './data/onetake.json' with { type: 'json' };
import openai from './data/openai.json' with { type: 'json' };
import recraft from './data/recraft.json' with { type: 'json' };
import replicate from './data/replicate.json' with { type: 'json' };
import stability from './data/stability.json' with { type: 'json' };
import together from './data/together.json' with { type: 'json' };
import xai from './data/xai.json' with { type: 'json' };
import { type KnownError, type KnownErrors, readKnownErrors } from './known-error.ts';

/** In the order in which they are named where several fit alike. */
const FILES: readonly unknown[] = [
  openai,
  azure,
  google,
  bedrock,
  fal,
  replicate,
  bfl,
  stability,
  leonardo,
  ideogram,
  recraft,
  luma,
  together,
  fireworks,
  deepinfra,
  xai,
  evolink,
  foxapi,
  midjourney,
  comfyui,
  automatic1111,
  local,
  network,
  http,
  onetake,
];

let read: readonly KnownErrors[] | undefined;

/** Every group of known errors; read and checked at first use. */
export function knownErrors(): readonly KnownErrors[] {
  read ??= FILES.map(readKnownErrors);
  return read;
}

/** The names that `provider` may have. */
export function explainedProviders(): readonly string[] {
  const named = knownErrors().flatMap(({ provider, entries }) => [
    provider,
    ...entries.flatMap((one) => one.providers),
  ]);
  return [...new Set(named)].filter((name) => name !== 'local');
}

/**
 * The entry for a failure whose kind and code are known: that of the provider with this code, one that every provider
 * shares, any with this code, or else our own entry of the kind. An entry of another kind is never given.
 */
export function entryFor(kind: FailureKind, code?: string, provider?: string): KnownError | undefined {
  const entries = knownErrors().flatMap((group) => group.entries);
  const wanted = code?.toLowerCase();
  const isWanted = (one: string) => wanted !== undefined && [wanted, `code:${wanted}`].includes(one.toLowerCase());
  const alike = entries.filter((entry) => entry.kind === kind && entry.match.codes.some(isWanted));
  return (
    alike.find(({ providers }) => provider !== undefined && providers.includes(provider)) ??
    alike.find(({ providers }) => providers.length === 0) ??
    alike[0] ??
    entries.find(({ match }) => match.codes.includes(`kind:${kind}`))
  );
}
