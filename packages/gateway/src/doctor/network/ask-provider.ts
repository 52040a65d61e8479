import { type Connection, type Failure, type ListedModel, listModels, parseJson } from '@onetake/core';
import type { DoctorResponse, DoctorWorld } from '../world.ts';
import { exchangeIo, type Seen } from './doctor-exchange.ts';
import { type Balance, FREE_CALLS, type FreeCall } from './free-calls.ts';

/** What a provider said to a key, for nothing. */
export interface FreeAnswer {
  /** The answers that came whole: of the list of models, of the account, or of both. */
  readonly responses: readonly DoctorResponse[];
  /** When the first of them came, epoch ms. */
  readonly at: number;
  /** As core reads it; undefined where the key was accepted. */
  readonly failure?: Failure;
  /** Nothing came: Node's code. */
  readonly unreachable?: string;
  /** Empty where the provider does not list them, or lists none. */
  readonly models: readonly ListedModel[];
  readonly balance?: Balance;
  readonly blocked?: string;
}

/** The share of a check's time that one of its calls may take: a provider may be asked twice. */
const SHARE = 0.4;

const ASKED = new WeakMap<DoctorWorld, Map<string, Promise<FreeAnswer | undefined>>>();

/** The free call of a provider with a key, made once for all that look at it; undefined where there is none. */
export function askFree(world: DoctorWorld, { id, baseUrl, ...rest }: Connection, kind: string) {
  const asked = ASKED.get(world) ?? new Map<string, Promise<FreeAnswer | undefined>>();
  ASKED.set(world, asked);
  const key = JSON.stringify([id, baseUrl, rest.secret]);
  const answer = asked.get(key) ?? ask(world, { id, baseUrl, ...rest }, kind);
  asked.set(key, answer);
  return answer;
}

async function ask(world: DoctorWorld, connection: Connection, kind: string): Promise<FreeAnswer | undefined> {
  const call = Object.hasOwn(FREE_CALLS, kind) ? FREE_CALLS[kind] : undefined;
  const isListed = connection.provider.catalog !== undefined && (call === undefined || call.besidesList === true);
  const list = isListed ? await askList(world, connection) : undefined;
  if (call === undefined || list?.unreachable !== undefined) return list;
  const account = await askAccount(world, connection, call);
  if (list === undefined) return account;
  // What only the account tells must not make a key look refused that the list accepted.
  const { failure: _failure, unreachable: _unreachable, ...more } = account;
  return { ...list, ...more, models: list.models, at: list.at, responses: [...list.responses, ...account.responses] };
}

async function askList(world: DoctorWorld, connection: Connection): Promise<FreeAnswer> {
  const seen: Seen = {};
  const answer = await listModels(connection, exchangeIo(world.io, world.timeoutMs * SHARE, seen));
  const models = answer !== undefined && 'models' in answer ? answer.models : [];
  return { ...arrived(seen), ...(answer !== undefined && 'failure' in answer && answer), models };
}

/** The same way as a list of models, so that the same code adds the key and reads the answer. */
async function askAccount(world: DoctorWorld, connection: Connection, call: FreeCall): Promise<FreeAnswer> {
  const { provider, baseUrl } = connection;
  const seen: Seen = {};
  const url = call.url(baseUrl);
  const catalog = {
    build: () => ({ method: 'GET', url, headers: { accept: 'application/json' } }) as const,
    parse: () => [],
  };
  const io = exchangeIo(world.io, world.timeoutMs * SHARE, seen);
  const answer = await listModels({ ...connection, provider: { ...provider, catalog } }, io);
  const came = arrived(seen);
  const [response] = came.responses;
  const isKnown = response !== undefined && call.acceptedStatuses?.includes(response.status) === true;
  const failure = answer !== undefined && 'failure' in answer && !isKnown ? answer : {};
  if (response === undefined || response.status > 299) return { ...came, ...failure };
  const body = parseJson(response.text);
  const [balance, blocked] = [call.balance?.(body), call.blocked?.(body)];
  return { ...came, ...failure, ...(balance && { balance }), ...(blocked !== undefined && { blocked }) };
}

function arrived({ answer, at = 0 }: Seen): Pick<FreeAnswer, 'responses' | 'at' | 'unreachable' | 'models'> {
  if (answer?.ok) return { responses: [answer.value], at, models: [] };
  return { responses: [], at, models: [], unreachable: answer?.code ?? 'ERROR' };
}
