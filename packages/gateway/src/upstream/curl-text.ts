import type { JsonObject } from '@onetake/core';
import { type CurlFile, curlCommand, MAX_INLINE_BYTES, picturesInside } from './curl.ts';
import { quoted } from './sh.ts';

/**
 * What `onetake replay --curl` prints, as one text for a POSIX shell: pictures that the command reads from files are
 * fetched first; a body too long to stand in a command is written by the CLI, and a comment says how. Where no command
 * can send the same, the text is a comment that says why.
 */
export function curlText(view: JsonObject): string {
  const { generation, run, attempt, stand_ins: standIns } = view;
  if (Array.isArray(standIns) && standIns.length > 0)
    return comment('no command can send the same: it was made of uploads whose names only the provider knew');
  // Any bytes of this length put the body in a file, where they would be without reading them here.
  const inside = new Map(picturesInside(view).map(({ sha256 }) => [sha256, UNREAD]));
  const cli = `onetake replay ${String(generation)} --curl --run ${String(run)} --attempt ${String(attempt)}`;
  try {
    const { command, files } = curlCommand(view, `replay-${String(generation)}`, inside);
    return [...files.map((file) => fileLine(file, cli)), command].join('\n');
  } catch (error) {
    return comment(`no command can send the same: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const UNREAD = Buffer.alloc(MAX_INLINE_BYTES);

function fileLine(file: CurlFile, cli: string): string {
  if ('picture' in file) return `curl -sS -o ${quoted(file.name)} ${quoted(file.picture.url)}`;
  return comment(`${file.name} holds what is too long, or unfit, to stand here; this writes it: ${cli}`);
}

function comment(text: string): string {
  return `# ${text.replaceAll(/[\r\n]+/g, ' ')}`;
}
