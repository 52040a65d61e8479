import type { Catalogue, JsonObject } from '@onetake/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Addresses } from '../addresses.ts';
import type { Config } from '../config.ts';
import type { Diagnosis } from '../doctor/check.ts';
import { CHECKS } from '../doctor/checks.ts';
import { CHECK_TIMEOUT_MS, diagnose, STEP_TIMEOUT_MS } from '../doctor/diagnose.ts';
import { callersOf, readGatewayFacts } from '../doctor/gateway-facts.ts';
import { realIo } from '../doctor/real-io.ts';
import { diagnosisView } from '../doctor/view.ts';
import { ADMIN } from './admin.ts';
import { KEY_HEADERS } from './callers.ts';
import { readConfig } from './config.ts';
import { PAGE_HEADER } from './page-session.ts';
import { parametersOf } from './parameters.ts';
import { invalidValue } from './problem.ts';

export interface DoctorRouteDeps {
  readonly config: Config;
  readonly catalogue: Catalogue;
  readonly addresses: () => Addresses;
}

/** What is wrong with a gateway, and what it was started with: for administrators. */
export function addDoctorRoutes(app: FastifyInstance, deps: DoctorRouteDeps): void {
  app.get('/v1/doctor', ADMIN, readDoctor(deps));
  app.get('/v1/config', ADMIN, readConfig(deps));
}

/**
 * `GET /v1/doctor`: what this gateway finds wrong with itself. Providers and names are asked with `?network=1` alone;
 * nothing is paid for. `?provider=` looks at one. Who asks the same while it is looked at gets the same answer, so that
 * providers are asked once.
 */
function readDoctor(deps: DoctorRouteDeps) {
  const underWay = new Map<string, Promise<Diagnosis>>();
  return async (request: FastifyRequest): Promise<JsonObject> => {
    const { network = '0', provider } = parametersOf(request, ['network', 'provider']);
    if (network !== '0' && network !== '1') throw invalidValue('network', 'it is neither 0 nor 1');
    const ids = deps.catalogue.connections.map(({ id }) => id);
    if (provider !== undefined && !ids.includes(provider))
      throw invalidValue('provider', `"${provider.slice(0, 64)}" is not one of ${ids.join(', ')}`);
    const asked = `${network} ${provider ?? ''}`;
    const running = underWay.get(asked) ?? look(deps, request, { offline: network === '0', provider });
    underWay.set(asked, running);
    try {
      return diagnosisView(await running);
    } finally {
      if (underWay.get(asked) === running) underWay.delete(asked);
    }
  };
}

interface Wanted {
  readonly offline: boolean;
  readonly provider: string | undefined;
}

/** Asks itself over its own address, as the caller would: one way to the facts for here and for the command line. */
async function look(
  { config, catalogue, addresses }: DoctorRouteDeps,
  { headers: carried }: FastifyRequest,
  { offline, provider }: Wanted,
): Promise<Diagnosis> {
  const io = realIo({ timeoutMs: STEP_TIMEOUT_MS });
  const headers = keyHeaders(carried);
  const gateway = await readGatewayFacts({ url: addresses().own, headers, callers: callersOf(config) }, io);
  return diagnose(
    {
      ...{ env: process.env, cwd: process.cwd(), io, catalogue, timeoutMs: CHECK_TIMEOUT_MS },
      config: { ok: true, config },
      options: { offline, ...(provider !== undefined && { provider }) },
      ...(gateway && { gateway }),
    },
    CHECKS,
  );
}

/** The key, in whichever header the caller showed it, or what our page is signed in with. */
function keyHeaders(carried: FastifyRequest['headers']): Record<string, string> {
  const shown = [...KEY_HEADERS, PAGE_HEADER, 'cookie'].flatMap((name) => {
    const value = carried[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(shown);
}
