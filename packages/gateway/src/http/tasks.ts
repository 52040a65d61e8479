import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Store } from '../store/store.ts';
import type { Followed, Snapshot } from '../tasks/following.ts';
import { callerSeen } from './admin.ts';
import { listFilter, pageOf, viewFor } from './listing.ts';
import { problemBody, problemHeaders, RequestProblem } from './problem.ts';
import { sendTask, type TaskAnswerDeps, taskObject, waitForEnd } from './task-answer.ts';
import { readLastEventId, streamTask } from './task-events.ts';
import { taskRowView } from './task-view.ts';

export interface TaskRouteDeps extends TaskAnswerDeps {
  readonly store: Pick<Store, 'list'>;
}

export interface TaskRequest {
  Params: { id: string };
  Querystring: { wait?: string | string[]; last_event_id?: string | string[] };
}

type TaskFastifyRequest = FastifyRequest<TaskRequest>;

const MAX_WAIT_SECONDS = 60;
/** For the provider's own word on whether it gives a job up; what comes later is a 202. */
const CANCEL_WAIT_MS = 5_000;
const MAX_ID_CHARS = 100;

/** The handlers of `/v1/tasks`, but for the one that makes tasks. Every generation can be looked at as a task. */
export function taskRoutes(deps: TaskRouteDeps) {
  const { store, tasks } = deps;

  async function follow(request: TaskFastifyRequest): Promise<Followed> {
    const { id } = request.params;
    const followed = await tasks.follow(id.slice(0, MAX_ID_CHARS), callerSeen(request));
    if (followed === undefined) throw unknownTask(id);
    return followed;
  }

  async function current(request: TaskFastifyRequest): Promise<Snapshot> {
    const { id } = request.params;
    const snapshot = await tasks.read(id.slice(0, MAX_ID_CHARS), callerSeen(request));
    if (snapshot === undefined) throw unknownTask(id);
    return snapshot;
  }

  return {
    /** `?wait=30` answers when the task is finished, or after so many seconds. */
    async read(request: TaskFastifyRequest, reply: FastifyReply) {
      const waitMs = waitMsOf(request.query.wait);
      if (waitMs === 0) return sendTask(reply, 200, await current(request), deps);
      const followed = await follow(request);
      try {
        await waitForEnd(followed, { waitMs, response: reply.raw }, deps);
      } finally {
        followed.close();
      }
      return sendTask(reply, 200, followed.snapshot(), deps);
    },

    /** As `GET /v1/generations`, in the light form that needs no journal. */
    async list(request: FastifyRequest) {
      const filter = listFilter(request);
      return pageOf(await store.list(filter), filter, viewFor(request, taskRowView));
    },

    async cancel(request: TaskFastifyRequest, reply: FastifyReply) {
      const id = request.params.id.slice(0, MAX_ID_CHARS);
      const canceled = await tasks.cancel(id, callerSeen(request), CANCEL_WAIT_MS);
      if (canceled.kind === 'unknown') throw unknownTask(request.params.id);
      const snapshot = await current(request);
      if (canceled.kind !== 'finished')
        return sendTask(reply, canceled.kind === 'canceled' ? 200 : 202, snapshot, deps);
      const problem = new RequestProblem(
        409,
        'task_finished',
        `task "${snapshot.id}": it is ${snapshot.status} already, so there is nothing to cancel; GET it for what came of it`,
      );
      reply.code(problem.status).headers(problemHeaders(problem));
      return reply.send({ ...problemBody(problem, request.id), task: await taskObject(snapshot, deps) });
    },

    async events(request: TaskFastifyRequest, reply: FastifyReply) {
      const seen = readLastEventId(request.headers['last-event-id'], request.query.last_event_id);
      const followed = await follow(request);
      const { io, openAnswers, thumbnailUrl } = deps;
      return streamTask({ reply, followed, seen, assetsUrl: deps.assetsUrl(), thumbnailUrl, io, openAnswers });
    },
  };
}

/** More is cut: whoever waits asks again anyway. */
function waitMsOf(text: string | readonly string[] | undefined): number {
  if (text === undefined) return 0;
  if (typeof text === 'string' && /^\d{1,9}(?:\.\d{1,3})?$/.test(text)) {
    return Math.min(Number(text), MAX_WAIT_SECONDS) * 1000;
  }
  const message = `wait: "${String(text).slice(0, 50)}" is not a number of seconds from 0 to ${MAX_WAIT_SECONDS}`;
  throw new RequestProblem(400, 'invalid_value', message, { param: 'wait' });
}

/** Another caller's is as unknown as one that never was. */
function unknownTask(id: string): RequestProblem {
  const message = `task "${id.slice(0, MAX_ID_CHARS)}": there is none of this id; GET /v1/tasks lists yours`;
  return new RequestProblem(404, 'not_found', message);
}
