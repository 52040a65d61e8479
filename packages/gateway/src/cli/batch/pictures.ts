import { join } from 'node:path';
import { IMAGE_TYPES } from '@onetake/core';
import { writeAtomically } from '../picture-file.ts';
import type { PictureFault } from './ends.ts';
import type { PictureFile } from './events.ts';
import type { WorkDeps } from './line-work.ts';
import { askPatiently } from './patience.ts';
import type { TaskCalls, TaskPicture, TaskView } from './task-calls.ts';

const MIN_DIGITS = 4;
/** A picture that arrives with other bytes than it should have is asked for so often. */
const MAX_FETCHES = 3;

/** `0017.png`, and `0017-2.png` for the second picture of line 17; as many digits as the last line needs. */
export function pictureName(line: number, index: number, type: string, lastLine: number): string {
  const number = String(line).padStart(Math.max(MIN_DIGITS, String(lastLine).length), '0');
  const { extension } = Object.hasOwn(IMAGE_TYPES, type)
    ? IMAGE_TYPES[type as keyof typeof IMAGE_TYPES]
    : { extension: 'bin' };
  return `${number}${index === 0 ? '' : `-${index + 1}`}.${extension}`;
}

/** How `drive` writes the pictures of a line into a directory: verified against the gateway's SHA-256, each whole. */
export function pictureSaver(directory: string, lastLine: number, tasks: TaskCalls): WorkDeps['savePictures'] {
  return async (line: number, task: TaskView, work) => {
    const files: PictureFile[] = [];
    for (const [index, picture] of task.pictures.entries()) {
      const got = await fetchPicture(picture, tasks, work);
      if (got === undefined || !Buffer.isBuffer(got)) return got;
      const file = pictureName(line, index, picture.type, lastLine);
      await writeAtomically(join(directory, file), got);
      files.push({ file, sha256: picture.sha256, bytes: got.length });
    }
    return files;
  };
}

async function fetchPicture(
  picture: TaskPicture,
  tasks: TaskCalls,
  { clock, gate, halt }: Pick<WorkDeps, 'clock' | 'gate' | 'halt'>,
): Promise<Buffer | PictureFault | undefined> {
  let fault: PictureFault = GONE;
  for (let fetches = 0; fetches < MAX_FETCHES; fetches++) {
    const answer = await askPatiently(() => tasks.picture(picture, halt), { clock, gate, signal: halt });
    if (answer === undefined) return undefined;
    if (answer.kind === 'told') return answer.value;
    if (answer.kind === 'gone') return GONE;
    fault = { code: answer.code, message: answer.message };
  }
  return fault;
}

const GONE: PictureFault = {
  code: 'picture_gone',
  message: 'the picture was made and is no longer at the gateway: its retention removed it',
};
