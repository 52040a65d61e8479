import { createReadStream } from 'node:fs';
import type { Io } from '@onetake/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Files, newFileId, type StoredFile } from '../batches/files.ts';
import type { Config } from '../config.ts';
import { cursorPage, type PageQuery } from './cursor-page.ts';
import { readExpiresAfter } from './expires-after.ts';
import { readFileUpload } from './file-upload.ts';
import { RequestProblem } from './problem.ts';

export interface FileRouteDeps {
  readonly files: Files;
  readonly config: Pick<Config, 'bodyLimitBytes' | 'retention'>;
  readonly io: Pick<Io, 'now'>;
}

export interface FileRequest {
  Params: { id: string };
}

const MAX_FILES_PER_CALLER = 1_000;
const PAGE = { usual: 10_000, most: 10_000 };
const DAY_MS = 86_400_000;

/** The handlers of `/v1/files`: OpenAI's, for the inputs and outputs of batches. */
export function fileRoutes({ files, config, io }: FileRouteDeps) {
  async function known({ params, caller }: FastifyRequest<FileRequest>): Promise<StoredFile> {
    const file = await files.find(caller, params.id);
    if (file === undefined) throw unknownFile(params.id);
    return file;
  }

  return {
    async create(request: FastifyRequest) {
      const { caller } = request;
      if ((await files.count(caller)) >= MAX_FILES_PER_CALLER) throw tooMany();
      const draft = files.draft();
      try {
        const { fields, filename } = await readFileUpload(request, { ...config, draft });
        checkPurpose(fields.get('purpose'));
        const createdAt = io.now();
        const keptMs = readExpiresAfter('expires_after', expiresAfterOf(fields)) ?? config.retention.days * DAY_MS;
        const about = { id: newFileId(), caller, purpose: 'batch' as const, filename };
        return fileView(await draft.commit({ ...about, createdAt, expiresAt: createdAt + keptMs }));
      } finally {
        await draft.discard();
      }
    },

    async list({ caller, query }: FastifyRequest) {
      const { purpose, order = 'desc' } = query as PageQuery;
      const all = await files.list(caller);
      const wanted = purpose === undefined ? all : all.filter((file) => file.purpose === purpose);
      return cursorPage(order === 'asc' ? wanted : wanted.toReversed(), query as PageQuery, PAGE, fileView);
    },

    read: async (request: FastifyRequest<FileRequest>) => fileView(await known(request)),

    async content(request: FastifyRequest<FileRequest>, reply: FastifyReply) {
      const { id, caller, bytes } = await known(request);
      reply.headers({
        'content-type': 'application/octet-stream',
        'content-length': String(bytes),
        'content-disposition': `attachment; filename="${id}.jsonl"`,
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
      return reply.send(createReadStream(files.pathOf(caller, id)));
    },

    async remove({ params, caller }: FastifyRequest<FileRequest>) {
      if (!(await files.remove(caller, params.id))) throw unknownFile(params.id);
      return { id: params.id, object: 'file', deleted: true };
    },
  };
}

/** Files that expired are swept now and then; until then they are there. */
export function fileView({ id, bytes, createdAt, expiresAt, filename, purpose }: StoredFile) {
  return {
    id,
    object: 'file',
    bytes,
    created_at: Math.floor(createdAt / 1000),
    expires_at: Math.floor(expiresAt / 1000),
    filename,
    purpose,
    status: 'processed',
    status_details: null,
  };
}

export function unknownFile(id: string, param?: string): RequestProblem {
  const message = `file "${id.slice(0, 100)}": there is none of this id; GET /v1/files lists yours`;
  return new RequestProblem(404, 'not_found', message, { ...(param !== undefined && { param }) });
}

function checkPurpose(purpose: string | undefined): void {
  if (purpose === 'batch') return;
  const found = purpose === undefined ? 'it is missing' : `"${purpose.slice(0, 50)}" is not taken here`;
  throw new RequestProblem(400, 'invalid_value', `purpose: ${found}; send "batch"`, { param: 'purpose' });
}

/** SDKs spell an object's fields in a form like this. */
function expiresAfterOf(fields: ReadonlyMap<string, string>) {
  const [anchor, seconds] = [fields.get('expires_after[anchor]'), fields.get('expires_after[seconds]')];
  return anchor === undefined && seconds === undefined
    ? undefined
    : { anchor: anchor ?? null, seconds: Number(seconds) };
}

function tooMany(): RequestProblem {
  const message = `file: there are ${MAX_FILES_PER_CALLER} already, as many as a key may keep; DELETE some`;
  return new RequestProblem(400, 'too_many_files', message, { param: 'file' });
}
