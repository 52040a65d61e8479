import { isObject, parseJson } from '@onetake/core';
import type { Check, Finding } from '../check.ts';
import type { DoctorResponse, DoctorWorld } from '../world.ts';
import { lookAtCertificate } from './certificate.ts';
import { hopOf, isOurs } from './hops.ts';

/** The public address of this gateway, asked from here. */
export const FRONT: Check = {
  id: 'front',
  title: 'public address',
  needs: 'network',
  async run(world) {
    const { config, gateway, options } = world;
    // The check that was asked for begins with this one.
    if (!config.ok || config.config.publicUrl === undefined || options.through !== undefined) return [];
    const { publicUrl } = config.config;
    if (gateway === undefined)
      return [
        { id: 'front.not-running', level: 'skipped', subject: publicUrl, message: 'no gateway runs to be asked' },
      ];
    return [await lookAtFront(publicUrl, world)];
  },
};

/** Whether a plain GET at an address reaches the gateway, and what else it meets. */
export async function lookAtFront(base: string, world: DoctorWorld): Promise<Finding> {
  const answer = await world.io.fetch({ url: `${base}/health/live`, headers: { accept: 'application/json' } });
  if (!answer.ok) return notReached(base, answer.code, world);
  const { status, headers } = answer.value;
  if (status >= 300 && status < 400) return redirects(base, status, headers.location ?? '');
  if (status === 403 && errorCode(answer.value) === 'forbidden_host') return hostRefused(base);
  const isPage = /text\/html/.test(headers['content-type'] ?? '');
  if ((status === 200 && !isPage) || isOurs(answer.value))
    return {
      id: 'front.ok',
      level: 'ok',
      subject: base,
      message: `the gateway answers there in ${answer.value.ms} ms`,
    };
  return otherAnswer(base, answer.value);
}

async function notReached(base: string, code: string, { io }: DoctorWorld): Promise<Finding> {
  const url = new URL(base);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const shaken = url.protocol === 'https:' ? await io.handshake(hostname, port) : undefined;
  if (shaken?.ok) {
    const host = { subject: base, hostname, port, isUsual: false };
    const trouble = lookAtCertificate(host, shaken.value, io.now());
    if (trouble?.level === 'broken') return { ...trouble, id: trouble.id.replace(/^reach\./, 'front.') };
  }
  return {
    id: 'front.unreachable',
    level: 'warning',
    subject: base,
    message: `${base} is not reached from this machine (${code})`,
    advice:
      'Try it from outside: if it opens there, only the way back in is missing here (NAT without hairpin); if not, check DNS, the firewall, and that the proxy in front runs.',
    fix: `curl -v ${base}/health/live`,
  };
}

function redirects(base: string, status: number, location: string): Finding {
  const target = URL.parse(location, `${base}/`);
  const place = target === null ? 'elsewhere' : `${target.origin}${target.pathname}`;
  const keepsMethod = status === 307 || status === 308;
  const better = target === null ? base : place.replace(/\/(?:health\/live.*)?$/, '');
  return {
    id: 'front.redirect',
    level: keepsMethod ? 'warning' : 'broken',
    subject: base,
    message: keepsMethod
      ? `${base} redirects to ${place} (${status}): each request is sent twice, and some clients drop its key`
      : `${base} redirects to ${place} (${status}): a POST arrives as a GET without its body`,
    advice: `Give callers ${better} and put it in ONETAKE_PUBLIC_URL.`,
    fix: `export ONETAKE_PUBLIC_URL=${better}`,
  };
}

function hostRefused(base: string): Finding {
  return {
    id: 'front.host-refused',
    level: 'broken',
    subject: base,
    message: `the gateway is reached and refuses the name ${new URL(base).host} (forbidden_host)`,
    advice: 'Set ONETAKE_PUBLIC_URL to the address that callers use, and start the gateway again.',
    fix: `export ONETAKE_PUBLIC_URL=${base}`,
  };
}

function otherAnswer(base: string, answer: DoctorResponse): Finding {
  const hop = hopOf(answer)?.name ?? 'something without a mark of its own';
  const { status } = answer;
  if (status === 502 || status === 503 || status === 504 || (status >= 520 && status <= 530))
    return {
      id: 'front.no-gateway',
      level: 'broken',
      subject: base,
      message: `${hop} answers ${status} there: it does not reach the gateway`,
      advice:
        'Start the gateway, or correct the address that the proxy forwards to (inside a container not 127.0.0.1).',
    };
  return {
    id: 'front.something-else',
    level: 'broken',
    subject: base,
    message: `${hop} answers ${status} there, and not the gateway`,
    advice: 'Correct the address, or let /v1 and /health pass the login or the site that stands in front.',
  };
}

function errorCode({ text }: DoctorResponse): string | undefined {
  const body = parseJson(text);
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  return typeof error.code === 'string' ? error.code : undefined;
}
