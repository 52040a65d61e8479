import type { Config, Environment } from '../config.ts';

/** A running gateway, as `startGateway` returns it. */
export interface RunningGateway {
  readonly url: string;
  readonly sandbox?: { readonly url: string };
  /** Keys were made there, and not revoked: nobody calls without one. */
  readonly hasKeys?: boolean;
  close(): Promise<void>;
}

export type StartGateway = (config: Config) => Promise<RunningGateway>;

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Everything a command may touch besides files and sockets. */
export interface CliContext {
  readonly env: Environment;
  readonly cwd: string;
  /** Read by commands whose input is named `-`. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Data: what a pipe wants. */
  readonly stdout: Output;
  /** Progress, notices and errors. */
  readonly stderr: Output;
  /** Aborted when the person or the launcher wants the command to end. */
  readonly signal: AbortSignal;
  readonly startGateway: StartGateway;
}
