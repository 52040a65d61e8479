import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import type { CliContext } from './context.ts';
import { CliError, EXIT } from './exit.ts';

/**
 * Asks before something costs money; false unless the answer is yes. Without a terminal nobody can be asked, so it throws
 * a fault of usage that names the option which agrees beforehand.
 */
export async function confirmed(
  question: string,
  { stdin, stderr, signal }: Pick<CliContext, 'stdin' | 'stderr' | 'signal'>,
): Promise<boolean> {
  if (stdin === undefined || !('isTTY' in stdin) || stdin.isTTY !== true)
    throw new CliError(`${question} Nobody can be asked without a terminal; --yes agrees beforehand`, EXIT.usage);
  stderr.write(`${question} [y/N] `);
  const input = stdin instanceof Readable ? stdin : Readable.from(stdin);
  const lines = createInterface({ input, terminal: false });
  try {
    const [answer = ''] = await Promise.race([firstLine(lines), aborted(signal)]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

async function firstLine(lines: AsyncIterable<string>): Promise<readonly string[]> {
  for await (const line of lines) return [line];
  return [];
}

function aborted(signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve([]);
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
}
