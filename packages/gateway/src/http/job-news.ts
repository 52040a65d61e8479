import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JobNews } from '../tasks/job-news.ts';
import { RequestProblem } from './problem.ts';

export interface JobNewsRequest {
  Params: { run: string; token: string };
}

const MAX_PART_CHARS = 200;

/** A provider says that a job has news. Its address is the proof; its body is not read. */
export function tellJobNews(news: JobNews) {
  return (request: FastifyRequest<JobNewsRequest>, reply: FastifyReply) => {
    const { run, token } = request.params;
    if (!news.tell(run.slice(0, MAX_PART_CHARS), token.slice(0, MAX_PART_CHARS)))
      throw new RequestProblem(404, 'not_found', 'no job here goes by this address');
    return reply.code(204).send();
  };
}
