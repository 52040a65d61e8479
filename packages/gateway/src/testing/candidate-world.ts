import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type Catalogue, sandboxProvider } from '@onetake/core';
import { createVirtualClock } from '@onetake/core/testing';
import { createJudge } from '../candidates/judge.ts';
import { createCandidateSets } from '../candidates/sets.ts';
import type { BeginDeps } from '../http/candidate-begin.ts';
import { createStandings } from '../http/candidate-wait.ts';
import { createOpenAnswers } from '../http/open-answers.ts';
import type { Submission, Ticket } from '../tasks/generations.ts';
import { createFakeCells } from './fake-cells.ts';
import { createFakeTasks, type FakeTasks, sampleSnapshot } from './task-samples.ts';

const SANDBOX = sandboxProvider(() => ({ url: 'http://x', refusePort: 1, resetPort: 2 }));
const CATALOGUE: Catalogue = {
  connections: [{ id: 'sandbox', provider: SANDBOX, baseUrl: 'http://x', secret: '' }],
  routes: {},
  defaultModel: 'sandbox/ok',
};

/** Sets whose candidates are tasks that tests change by hand, in virtual time. */
export function createCandidateWorld(options: { readonly maxOpen?: number } = {}) {
  const clock = createVirtualClock(1_000_000);
  const tasks = new Map<string, FakeTasks>();
  const submissions: Submission[] = [];
  const tickets: ((id: string) => Ticket)[] = [];
  const follow = async (id: string, caller: string | undefined) => tasks.get(id)?.follow(id, caller);
  const read = async (id: string, caller: string | undefined) => tasks.get(id)?.read(id, caller);
  const judge = createJudge({
    looker: { look: async () => ({ problem: 'missing', detail: 'no bytes here' }) },
    onError: (error) => {
      throw error;
    },
  });
  const submit = async (submission: Submission): Promise<Ticket> => {
    submissions.push(submission);
    const id = submission.id ?? '';
    const ticket = tickets.shift()?.(id) ?? ({ kind: 'task', id, replayed: false } as const);
    if (ticket.kind === 'task') tasks.set(id, createFakeTasks(sampleSnapshot({ id })));
    return ticket;
  };
  const standings = createStandings({ tasks: { read }, judge });
  const cells = createFakeCells();
  const day = 86_400_000;
  const candidateSets = createCandidateSets({ cells: cells.store, io: clock, keepMs: 30 * day, idempotencyMs: day });
  const begin: BeginDeps = {
    ...{ generations: { submit }, candidateSets, standings, catalogue: CATALOGUE, io: clock },
    ...{ processId: 'this', ownsStore: true, attachWindowMs: 60_000 },
  };
  const wait = { tasks: { follow }, standings, io: clock, openAnswers: createOpenAnswers(options.maxOpen ?? 10) };
  return { clock, tasks, submissions, tickets, candidateSets, begin, wait };
}

/** A connection that a test cuts. */
export function createFakeResponse() {
  const response = Object.assign(new EventEmitter(), { destroyed: false });
  return {
    response: response as unknown as ServerResponse,
    hangUp() {
      response.destroyed = true;
      response.emit('close');
    },
  };
}

/** A request for candidates as the edge understood it. */
export function sampleSubmission(change: Partial<Submission> = {}): Submission {
  return {
    ...{ caller: 'local', endpoint: '/v1/images/generations', requestId: 'req_1', model: 'sandbox/ok' },
    request: { operation: 'generate', prompt: 'a red fox', n: 1 },
    ...{ settings: {}, fingerprint: 'ab'.repeat(32), attach: true, provenRetry: false, idempotencyKey: undefined },
    ...{ priority: 'interactive', asTask: false },
    ...change,
  };
}
