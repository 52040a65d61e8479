import type { Failure } from '@onetake/core';
import { explain } from '../../explain/explain.ts';
import type { Check, Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { askFree, type FreeAnswer } from './ask-provider.ts';
import { type Call, hostsOf, type ProviderHost } from './hosts.ts';

/** What each provider says to each key, by a call that is free. */
export const KEY: Check = {
  id: 'key',
  title: 'provider keys',
  needs: 'network',
  async run(world) {
    const asked = hostsOf(world).flatMap((host) => host.calls.map((call) => lookAtKey(host, call, world)));
    return Promise.all(asked);
  },
};

async function lookAtKey(host: ProviderHost, { subject, connection }: Call, world: DoctorWorld): Promise<Finding> {
  const answer = await askFree(world, connection, host.kind);
  if (answer === undefined)
    return {
      id: 'key.no-free-call',
      level: 'skipped',
      subject,
      message: `${host.kind} has no call that is free and wants a key, so only a picture tells (--spend)`,
    };
  if (answer.unreachable !== undefined)
    return {
      id: 'key.unasked',
      level: 'skipped',
      subject,
      message: `${host.hostname} gave no answer (${answer.unreachable})`,
    };
  if (answer.blocked !== undefined) return blocked(subject, answer.blocked);
  if (answer.failure !== undefined) {
    const failure = withoutSecret(answer.failure, connection.secret);
    return refused(host, subject, failure, answer, connection.secret === '');
  }
  const [response] = answer.responses;
  const { status = 0, ms = 0 } = response ?? {};
  const accepts = status < 300 ? 'accepts the key' : 'does not refuse the key';
  const said = connection.secret === '' ? 'answers without a key' : accepts;
  return { id: 'key.accepted', level: 'ok', subject, message: `${host.hostname} ${said} (${status}, ${ms} ms)` };
}

/** Some providers say the key back that they refuse. */
function withoutSecret(failure: Failure, secret: string): Failure {
  if (secret === '') return failure;
  const { message, code } = failure;
  const cut = (text: string) => text.replaceAll(secret, '[redacted]');
  return { ...failure, message: cut(message), ...(code !== undefined && { code: cut(code) }) };
}

function blocked(subject: string, why: string): Finding {
  return {
    id: 'key.blocked',
    level: 'broken',
    subject,
    message: `${subject} knows its key, and ${why}`,
    advice: 'Open the provider’s console and enable it, or create another key; nothing here can.',
  };
}

/** Some say it with a 400. */
const WRONG_KEY =
  /incorrect api key|api key (?:is )?(?:not valid|invalid)|invalid api[ -]?(?:key|token)|authorization hook/i;

function refused(
  host: ProviderHost,
  subject: string,
  failure: Failure,
  answer: FreeAnswer,
  isKeyless: boolean,
): Finding {
  const code = failure.code === undefined ? '' : `, ${failure.code}`;
  const said = `${host.hostname} says: ${failure.message} (${failure.status ?? 'no status'}${code})`;
  const facts = { kind: failure.kind, ...(failure.status !== undefined && { status: failure.status }) };
  const link = linkFor(host, failure);
  const base = { subject, message: said, facts, ...(link !== undefined && { link }) };
  const foreign = answer.responses.some(({ headers }) => /text\/html/.test(headers['content-type'] ?? ''));
  if (foreign && failure.kind !== 'authentication') return { ...base, ...foreignAnswer(host) };
  if (WRONG_KEY.test(failure.message)) return { ...base, ...wrongKey(isKeyless) };
  switch (failure.kind) {
    case 'authentication':
      return { ...base, ...wrongKey(isKeyless) };
    case 'permission':
      return { ...base, ...notPermitted(failure) };
    case 'quota':
    case 'billing':
      return {
        ...base,
        id: failure.kind === 'quota' ? 'key.quota' : 'key.no-balance',
        level: 'broken',
        advice: 'Add credit or raise the limit in the provider’s console; until then every call is refused.',
      };
    case 'throttled':
      return {
        ...base,
        id: 'key.throttled',
        level: 'warning',
        advice: 'The key is good and its rate is used up, perhaps by another program: lower what is sent, or wait.',
      };
    case 'not_found':
      return { ...base, ...notThere(host) };
    default:
      return {
        ...base,
        id: 'key.provider-trouble',
        level: 'warning',
        advice: 'The key was not judged: look at the provider’s status page, and run the doctor again.',
      };
  }
}

type Told = Pick<Finding, 'id' | 'level' | 'advice'>;

/** Where the provider itself writes about it. */
function linkFor({ kind }: ProviderHost, { status, code = '', message }: Failure): string | undefined {
  const { known, found } = explain(`${status ?? ''} ${code} ${message}`, { provider: kind });
  return known ? found[0]?.entry.link : undefined;
}

function wrongKey(isKeyless: boolean): Told {
  return {
    id: isKeyless ? 'key.missing' : 'key.refused',
    level: 'broken',
    advice: isKeyless
      ? 'The server wants a key and none is configured: name the variable that holds it in key_env.'
      : 'The key is wrong, revoked, or of another account: create one in the provider’s console and put it in the variable that holds it.',
  };
}

const COUNTRY = /country|region|territory|location is not supported/i;
const UNVERIFIED = /verif(?:y|ied|ication)/i;
/** A key may be kept from listing models and make pictures all the same. */
const SCOPE = /missing scopes?|insufficient permissions|api\.model\.read|restricted/i;

function notPermitted({ message, code = '' }: Failure): Told {
  const words = `${code} ${message}`;
  if (COUNTRY.test(words))
    return {
      id: 'key.country',
      level: 'broken',
      advice:
        'The provider does not serve the country that this machine’s address is in: call from a supported one, or use a provider that serves yours.',
    };
  if (SCOPE.test(words)) return { id: 'key.restricted', level: 'skipped' };
  if (UNVERIFIED.test(words))
    return {
      id: 'key.unverified',
      level: 'broken',
      advice:
        'The owner of the organisation must verify it in the provider’s console (OpenAI: Settings, Organization, General), then wait up to 15 minutes.',
    };
  return {
    id: 'key.not-permitted',
    level: 'broken',
    advice:
      'The key is known and may not do this: give its project or role access in the provider’s console, and check that no IP allowlist leaves this machine out.',
  };
}

function notThere({ url, id }: ProviderHost): Told {
  const hint = /\/v\d/.test(url.pathname) ? 'check the path of base_url' : `try ${url.origin}/v1`;
  return {
    id: 'key.no-such-address',
    level: 'warning',
    advice: `Something answers there and knows no such path: ${hint} (providers.${id}.base_url).`,
  };
}

function foreignAnswer({ hostname }: ProviderHost): Told {
  return {
    id: 'key.foreign-answer',
    level: 'warning',
    advice: `A page came instead of the provider’s JSON: a captive portal, a filter or a proxy answers for ${hostname}, or base_url points at a website.`,
  };
}
