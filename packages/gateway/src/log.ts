import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import type { LogConfig } from './config/log.ts';
import { prettyLine } from './log/pretty.ts';
import { cleanFields, cleanText } from './log/redact.ts';

/**
 * Structured logs on stderr; stdout belongs to what a command answers. Request and answer bodies are never logged, so
 * neither prompts nor pictures can get in, and what looks like a key is cut from whatever is.
 */
export function createLog(level: string, destination: DestinationStream = process.stderr): Logger {
  return pino({ level, ...CLEAN }, destination);
}

/** For people where a terminal shows it, else one JSON object a line, unless the configuration says which. */
export function openLog(
  { level, format }: LogConfig,
  stream: DestinationStream & { readonly isTTY?: boolean } = process.stderr,
): Logger {
  const isPretty = format === undefined ? stream.isTTY === true : format === 'pretty';
  return createLog(level, isPretty ? { write: (line) => stream.write(prettyLine(line)) } : stream);
}

const CLEAN: Pick<LoggerOptions, 'serializers' | 'formatters' | 'hooks'> = {
  // An error is plain data when it comes here: pino's own serializer would write all that hangs on it.
  serializers: { err: (error) => error },
  formatters: { log: cleanFields },
  hooks: {
    logMethod(args, method) {
      const [first, message = first instanceof Error ? first.message : undefined, ...rest] = args;
      const said = typeof message === 'string' ? cleanText(message) : message;
      const filled = rest.map((one) => (typeof one === 'string' ? cleanText(one) : one));
      method.apply(this, [typeof first === 'string' ? cleanText(first) : first, said, ...filled]);
    },
  },
};
