import { isPublicAddress } from '@onetake/core';
import { isLoopback } from '../../config/environment.ts';
import type { Config } from '../../config.ts';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { fine, unread } from './found.ts';

/** Where the configuration sends webhooks, and those that never arrived. */
export const WEBHOOKS: Check = {
  id: 'webhooks',
  title: 'webhooks',
  async run(world) {
    if (!world.config.ok) return unread('webhooks');
    const { config } = world.config;
    const urls = Object.entries(config.webhooks.callers).flatMap(([caller, { url }]) =>
      url === undefined ? [] : [[caller, url] as const],
    );
    const looked = await Promise.all(urls.map(([caller, url]) => addressFindings(caller, url, config, world)));
    const found = [...looked.flat(), ...givenUp(world)];
    if (found.length > 0) return found;
    const named = urls.length === 0 ? 'the configuration names none' : `${urls.length} in the configuration`;
    return [fine('webhooks.well', named)];
  },
};

async function addressFindings(
  caller: string,
  url: string,
  { webhooks: { allowPrivate }, publicUrl }: Config,
  { io, options }: DoctorWorld,
): Promise<readonly Finding[]> {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const at = `webhooks.keys.${caller}.url`;
  const isNear = isLoopback(host);
  const found: Finding[] = [];
  const add = (id: string, level: Finding['level'], message: string, advice: string) =>
    found.push({ id: `webhooks.${id}`, level, subject: caller, message: `${at}: ${message}`, advice });
  if (protocol === 'http:' && !isNear && !(allowPrivate && !isPublicAddress(host)))
    add(
      'plain-http',
      'warning',
      `${host} is told over http`,
      'Use https: prompts and links to pictures are readable on the way.',
    );
  if (publicUrl === undefined && !isNear) {
    const message = `${host} is told links that lead to this machine`;
    add('no-public-url', 'warning', message, 'Set ONETAKE_PUBLIC_URL to where its receivers reach the gateway.');
  }
  if (options.offline || allowPrivate) return found;
  const addresses = await io.resolve(host);
  if (!addresses.ok) {
    if (addresses.code === 'ENOTFOUND')
      add(
        'unknown-host',
        'warning',
        `${host} is not known to the name service of this machine`,
        'Correct the host, or remove the webhook; where no name is known, mend the name service first.',
      );
  } else if (addresses.value.some((address) => !isPublicAddress(address))) {
    const message = `${host} leads to a private address, which is not delivered to`;
    add('private', 'broken', message, 'Give a public host, or set webhooks.allow_private: on if that is meant.');
  }
  return found;
}

function givenUp({ gateway }: DoctorWorld): readonly Finding[] {
  const count = gateway?.webhooksGivenUp ?? 0;
  if (count === 0) return [];
  const message = `${count === 1 ? '1 webhook was' : `${count} webhooks were`} given up in the last 7 days`;
  const advice = 'See why with onetake webhooks list --state given-up, mend the receiver, and send them again.';
  return [{ id: 'webhooks.given-up', level: 'warning', message, advice, fix: 'onetake webhooks redeliver --given-up' }];
}
