import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * Structured logs on stderr; stdout belongs to what a command answers. Request and answer bodies are never logged, so
 * neither keys nor pictures can get in.
 */
export function createLog(level: string, destination: DestinationStream = process.stderr): Logger {
  return pino(
    { level, redact: { paths: ['*.authorization', '*.secret', '*.key', '*.adminKey'], censor: '[redacted]' } },
    destination,
  );
}
