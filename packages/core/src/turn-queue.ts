import { type Account, type Grant, whenDone } from './account.ts';
import type { Io } from './io.ts';
import type { Claim, Delay, LimitReport, Ticket, Turn, TurnRequest } from './pacing.ts';
import { unitsOfClaim } from './policy/limit-state.ts';
import type { Units } from './policy/sliding-window.ts';
import { createWaitingLine, type Waiting } from './waiting-line.ts';

export interface TurnQueueOptions {
  readonly target: string;
  readonly maxWaiting: number;
  readonly io: Pick<Io, 'now' | 'timer'>;
  readonly callers: RunningCallers;
  readonly openAccount: (credential: string, queue: TurnQueue) => Account;
  /** Jobs that the server behind a credential is known to have, ours among them. */
  readonly load: (credential: string) => number;
}

/** How many turns each caller has, in all queues. */
export interface RunningCallers {
  mayGo(caller: string): boolean;
  began(caller: string): void;
  /** It had no turn after all. */
  dropped(caller: string): void;
  /** Its turn is over: where it waited for that, it may go. */
  ended(caller: string): void;
}

/** More requests wait at a target than may. */
export class QueueFullError extends Error {
  constructor(target: string, maxWaiting: number) {
    super(`${target}: ${maxWaiting} requests wait already, as many as may; try again later`);
    this.name = 'QueueFullError';
  }
}

/** Requests passed over in one look, before looking again later. */
const MAX_LOOKED_AT = 64;
const LOOK_AGAIN_MS = 250;
/** Another process may have ended a call, and its notice been lost. */
const SHARED_LOOK_MS = 1_000;
const MEAN_SHARE = 0.2;

interface Entry extends Waiting {
  readonly give: (turns: readonly Turn[]) => void;
  readonly turns: Turn[];
}

/** What one look has found out so far. */
interface Look {
  readonly blocked: Set<string>;
  until: number;
}

/** Who waits at one target, and the accounts they wait for. */
export class TurnQueue {
  readonly #options: TurnQueueOptions;
  readonly #accounts = new Map<string, Account>();
  readonly #line = createWaitingLine<Entry>();
  /** It took some, and takes more while nobody else waits. */
  #taking: Entry | undefined;
  #isLooking = false;
  #mustLookAgain = false;
  #stopTimer: (() => void) | undefined;
  #meanMs: number | undefined;
  #number = 0;

  constructor(options: TurnQueueOptions) {
    this.#options = options;
  }

  take(request: TurnRequest): Promise<readonly Turn[]> {
    const { signal, ticket } = request;
    const { target, maxWaiting } = this.#options;
    if (signal?.aborted) return Promise.resolve([]);
    const atOnce = this.#takeFreely(request);
    if (atOnce) return Promise.resolve(atOnce);
    if (this.#line.size >= maxWaiting) return Promise.reject(new QueueFullError(target, maxWaiting));
    return new Promise((resolve) => {
      const leave = () => {
        if (this.#line.remove(entry)) this.#finish(entry);
      };
      const give = (turns: readonly Turn[]) => {
        signal?.removeEventListener('abort', leave);
        resolve(turns);
      };
      this.#number += 1;
      const entry: Entry = { request, caller: ticket.caller, tag: ticket.tag, number: this.#number, give, turns: [] };
      signal?.addEventListener('abort', leave, { once: true });
      this.#line.add(entry);
      this.look();
    });
  }

  /** A call of an earlier process that is in flight at the provider. */
  adopt(credential: string, caller: string): Turn {
    const { callers } = this.#options;
    callers.began(caller);
    return this.#account(credential).adopt(() => callers.ended(caller));
  }

  /** Where nothing is limited and nobody waits there is no queue. */
  #takeFreely({ credentials, claim, ticket: { caller }, most = 1 }: TurnRequest): readonly Turn[] | undefined {
    if (this.#line.size > 0 || this.#isLooking) return undefined;
    const turns: Turn[] = [];
    while (turns.length < most && this.#options.callers.mayGo(caller)) {
      const credential = this.#roomiest(credentials());
      const account = credential === undefined ? undefined : this.#account(credential);
      const grant = account?.isFree() ? this.#try(account, claim, caller) : undefined;
      if (grant === undefined || grant instanceof Promise || !('turn' in grant)) break;
      turns.push(grant.turn);
    }
    return turns.length > 0 ? turns : undefined;
  }

  #try(account: Account, claim: Claim, caller: string): Grant | Promise<Grant> {
    const { callers, io } = this.#options;
    callers.began(caller);
    const done = (grant: Grant): Grant => {
      if (!('turn' in grant)) callers.dropped(caller);
      return grant;
    };
    const grant = account.take(claim, () => callers.ended(caller));
    if (!(grant instanceof Promise)) return done(grant);
    return grant.catch((): Grant => ({ until: io.now() + SHARED_LOOK_MS })).then(done);
  }

  /** Gives turns to those who may go now. */
  look(): void {
    if (this.#isLooking) this.#mustLookAgain = true;
    if (this.#isLooking || this.#line.size === 0) return;
    this.#isLooking = true;
    this.#goOn({ blocked: new Set(), until: Number.POSITIVE_INFINITY });
  }

  #goOn(look: Look): void {
    for (;;) {
      const more = this.#step(look);
      if (more instanceof Promise) {
        more.then(() => this.#goOn(look));
        return;
      }
      if (!more) break;
    }
    this.#rest(look.until);
  }

  /** Nobody can go now: looks again when that may have changed. */
  #rest(until: number): void {
    const { io } = this.#options;
    this.#isLooking = false;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#taking && this.#line.remove(this.#taking)) this.#finish(this.#taking);
    if (this.#mustLookAgain) {
      this.#mustLookAgain = false;
      this.look();
    } else if (this.#line.size > 0 && Number.isFinite(until)) this.#stopTimer = io.timer(until, () => this.look());
  }

  #finish(entry: Entry): void {
    if (this.#taking === entry) this.#taking = undefined;
    entry.give(entry.turns);
    if (this.#line.size > 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** Tries to give one turn; false when nobody is left to try. */
  #step(look: Look): boolean | Promise<boolean> {
    const found = this.#candidate(look);
    if (found === undefined) return false;
    const { entry, credential } = found;
    const grant = this.#try(this.#account(credential), entry.request.claim, entry.caller);
    // Even where no notice of another process comes.
    if (grant instanceof Promise) look.until = Math.min(look.until, this.#options.io.now() + SHARED_LOOK_MS);
    return whenDone(grant, (done) => {
      if ('turn' in done) this.#granted(entry, done.turn);
      else {
        look.blocked.add(credential);
        look.until = Math.min(look.until, done.until);
      }
      return true;
    });
  }

  #granted(entry: Entry, turn: Turn): void {
    // It may have left meanwhile.
    if (!this.#line.remove(entry)) {
      turn.giveBack();
      return;
    }
    entry.turns.push(turn);
    if (entry.turns.length >= (entry.request.most ?? 1) || this.#line.size > 0) {
      this.#finish(entry);
      return;
    }
    this.#taking = entry;
    this.#line.add(entry);
  }

  /** The first in order with a key that may be tried; one whose claim does not fit yet holds up those behind it. */
  #candidate(look: Look): { readonly entry: Entry; readonly credential: string } | undefined {
    const { io, callers } = this.#options;
    let looked = 0;
    for (const entry of this.#line.inOrder(callers.mayGo)) {
      const usable = entry.request.credentials();
      const credential = this.#roomiest(usable.filter((one) => !look.blocked.has(one)));
      if (credential !== undefined) return { entry, credential };
      if (usable.length > 0 && look.blocked.size >= this.#accounts.size) return undefined;
      looked += 1;
      if (usable.length === 0 || looked >= MAX_LOOKED_AT) look.until = Math.min(look.until, io.now() + LOOK_AGAIN_MS);
      if (looked >= MAX_LOOKED_AT) return undefined;
    }
    return undefined;
  }

  /** Of a pool the one whose server has least to do, then the one with the most room; of several, that with the least in flight, then the one that rested longest. */
  #roomiest(credentials: readonly string[]): string | undefined {
    if (credentials.length < 2) return credentials[0];
    const { load } = this.#options;
    const known = credentials.map((credential) => {
      return { credential, jobs: load(credential), ...this.#account(credential).room() };
    });
    // Where no server is known to work for others, room says it all.
    const isTold = known.some(({ jobs }) => jobs > 0);
    const busy = ({ jobs, inFlight, headroom }: (typeof known)[number]) => {
      if (!isTold) return 0;
      return headroom > 0 ? Math.max(jobs, inFlight) : Number.POSITIVE_INFINITY;
    };
    return known.reduce((best, one) => {
      const work = busy(one) - busy(best) || best.headroom - one.headroom;
      return (work || one.inFlight - best.inFlight || one.usedAt - best.usedAt) < 0 ? one : best;
    }).credential;
  }

  #account(credential: string): Account {
    const account = this.#accounts.get(credential) ?? this.#options.openAccount(credential, this);
    this.#accounts.set(credential, account);
    return account;
  }

  /** A call that was accepted lasted so long. */
  lasted(ms: number): void {
    this.#meanMs = this.#meanMs === undefined ? ms : this.#meanMs + (ms - this.#meanMs) * MEAN_SHARE;
  }

  /** Behind everybody whose tag is not higher; of several keys, each is thought to serve its share. */
  expect(claim: Claim, ticket: Ticket | undefined): Delay | undefined {
    const accounts = [...this.#accounts.values()];
    let { requests, images, tokens } = unitsOfClaim(claim);
    this.#line.visit(ticket?.tag ?? Number.POSITIVE_INFINITY, ({ request }) => {
      requests += 1;
      images += request.claim.images;
      tokens += request.claim.tokens ?? 0;
    });
    const each = (units: number) => Math.ceil(units / accounts.length);
    const units: Units = { requests: each(requests), images: each(images), tokens: each(tokens) };
    const delays = accounts.map((account) => account.project(units, this.#meanMs));
    return delays.reduce(
      (best, one) => (best && one && one.until < best.until ? one : best && one ? best : undefined),
      delays[0],
    );
  }

  report(): readonly LimitReport[] {
    const { target } = this.#options;
    const waiting = this.#line.size;
    return [...this.#accounts].map(([credential, account]) => ({ target, credential, ...account.report(), waiting }));
  }

  waits(caller: string): boolean {
    return this.#line.has(caller);
  }

  /** Nothing of it would be missed. */
  isIdle(): boolean {
    return this.#line.size === 0 && [...this.#accounts.values()].every((account) => account.room().inFlight === 0);
  }
}
