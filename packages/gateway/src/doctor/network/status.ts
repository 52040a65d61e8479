import { isObject, type JsonValue, parseJson } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { hostsOf, type ProviderHost } from './hosts.ts';
import file from './status-pages.json' with { type: 'json' };

const PAGES: Readonly<Record<string, { readonly url: string }>> = file.pages;
const MAX_WORDS = 200;
/** Something small is always wrong somewhere, mostly with another of its services. */
const TROUBLE: readonly string[] = ['major', 'critical'];

/** One line of each provider's public status page. A page says what its provider admits, so its trouble is a warning. */
export const STATUS: Check = {
  id: 'status',
  title: 'status pages',
  needs: 'network',
  async run(world) {
    const kinds = new Set(
      hostsOf(world)
        .filter((host) => host.isUsual)
        .map(pageOf),
    );
    return Promise.all([...kinds].filter((kind) => Object.hasOwn(PAGES, kind)).map((kind) => lookAtPage(kind, world)));
  },
};

function pageOf({ kind }: ProviderHost): string {
  return kind === 'openai-responses' ? 'openai' : kind;
}

async function lookAtPage(kind: string, { io }: DoctorWorld): Promise<Finding> {
  const { url } = PAGES[kind] ?? { url: '' };
  const link = new URL(url).origin;
  const unread = (why: string): Finding => ({
    ...{ id: 'status.unopened', level: 'skipped', subject: kind, message: `the page of ${kind} did not open (${why})` },
    link,
  });
  const answer = await io.fetch({ url, headers: { accept: 'application/json' } });
  if (!answer.ok) return unread(answer.code);
  const told = readPage(parseJson(answer.value.text));
  if (answer.value.status !== 200 || told === undefined) return unread(`status ${answer.value.status}`);
  const { indicator, description } = told;
  if (!TROUBLE.includes(indicator))
    return { id: 'status.well', level: 'ok', subject: kind, message: `${kind} says: ${description}`, link };
  return {
    id: 'status.trouble',
    level: 'warning',
    subject: kind,
    message: `the status page of ${kind} says: ${description} (${indicator})`,
    advice: 'The trouble is the provider’s own: wait it out, and let routes that must not fail have a second target.',
    link,
  };
}

function readPage(
  body: JsonValue | undefined,
): { readonly indicator: string; readonly description: string } | undefined {
  const said = isObject(body) && isObject(body.status) ? body.status : {};
  const { indicator, description } = said;
  if (typeof indicator !== 'string' || !/^[a-z_]{1,30}$/.test(indicator)) return undefined;
  const words = typeof description === 'string' ? description : '';
  return { indicator, description: words.replaceAll(/\s+/g, ' ').slice(0, MAX_WORDS) };
}
