import { ConfigError } from '../config.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2, capped: 3, interrupted: 130 } as const;

/** Ends a command with a sentence for its user. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Node's error code, such as `EADDRINUSE`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The error an interrupted command ends with. */
export function interrupted(rest = ''): CliError {
  return new CliError(`interrupted${rest}`, EXIT.interrupted);
}
