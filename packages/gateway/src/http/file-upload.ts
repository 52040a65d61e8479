import type { FastifyRequest } from 'fastify';
import type { FileDraft } from '../batches/files.ts';
import { readForm } from './form.ts';
import { invalidValue } from './problem.ts';

export interface FileUpload {
  readonly fields: ReadonlyMap<string, string>;
  readonly filename: string;
}

export interface FileUploadOptions {
  readonly bodyLimitBytes: number;
  /** Takes the file's bytes; whoever made it discards it when this throws. */
  readonly draft: FileDraft;
}

const MAX_FIELDS = 16;
const MAX_FIELD_BYTES = 1024;
const MAX_FILENAME_CHARS = 255;

/** Reads the form of `POST /v1/files`: one file named `file`, and texts. Throws a `RequestProblem`. */
export async function readFileUpload(request: FastifyRequest, options: FileUploadOptions): Promise<FileUpload> {
  const { bodyLimitBytes, draft } = options;
  if (!request.isMultipart())
    throw invalidValue('file', 'send multipart/form-data with the parts "file" and "purpose"');
  const fields = new Map<string, string>();
  let filename: string | undefined;
  const limits = { fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, files: 1 };
  await readForm(request, { bodyLimitBytes, limits }, async (part) => {
    if (part.type === 'field') {
      fields.set(part.fieldname, String(part.value));
      return;
    }
    if (part.fieldname !== 'file') throw invalidValue('file', 'the form has a file of another name; name it "file"');
    for await (const chunk of part.file as AsyncIterable<Buffer>) await draft.write(chunk);
    filename = (part.filename ?? '').slice(0, MAX_FILENAME_CHARS);
  });
  if (filename === undefined) throw invalidValue('file', 'add a part named "file" with a filename');
  if (draft.bytes() === 0) throw invalidValue('file', 'it is empty; write one request per line');
  return { fields, filename };
}
