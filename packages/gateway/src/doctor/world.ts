import type { Catalogue } from '@onetake/core';
import type { Config, Environment } from '../config.ts';
import type { CostRow } from '../store/ledger.ts';

/** Everything the doctor may see of the world. Tests plant faults here that a machine cannot show. */
export interface DoctorWorld {
  readonly env: Environment;
  readonly cwd: string;
  readonly config: ReadConfig;
  /** What model names mean; undefined where the configuration cannot be read. */
  readonly catalogue?: Catalogue;
  readonly io: DoctorIo;
  /** What a running gateway, or its data, tells of use; undefined where there is none to ask. */
  readonly gateway?: GatewayFacts;
  readonly options: DoctorOptions;
  /** For one check. */
  readonly timeoutMs: number;
}

/** The configuration, or every fault of it. */
export type ReadConfig =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      readonly faults: readonly string[];
      /** What the environment alone comes to, where that can be read: enough for what concerns the machine. */
      readonly partial?: Config;
    };

export interface DoctorOptions {
  /** Only what concerns this provider. */
  readonly provider?: string;
  /** A prompt to hold against the local rules. */
  readonly prompt?: string;
  /** An address of this gateway as callers reach it, with whatever stands in front. */
  readonly through?: string;
  /** How long the job that is sent through it takes. Default 150,000. */
  readonly throughMs?: number;
  /** Providers that may be asked for one paid picture; the price was told and agreed to. */
  readonly spend?: boolean;
  /** Nothing leaves this machine. */
  readonly offline?: boolean;
}

/** What the running gateway knows. */
export interface GatewayFacts {
  readonly url: string;
  /** What every request to it carries; holds a key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it keeps its data; absent where it would not tell. */
  readonly dataDir?: string;
  /** Its answer to `GET /health/ready`. */
  readonly isReady: boolean;
  /** By model and key, of the last seven days; undefined where the gateway would not tell. */
  readonly use?: readonly CostRow[];
  /** Outcomes nobody knows that nobody has settled. */
  readonly unknown?: number;
  /** Webhooks that were given up in the last seven days. */
  readonly webhooksGivenUp?: number;
  readonly keys?: readonly KeyFacts[];
  /** It did not tell who asked what is an administrator's to know. */
  readonly isUnheard?: boolean;
}

/** A managed key as the doctor looks at it. */
export interface KeyFacts {
  readonly name: string;
  /** Epoch ms. */
  readonly expiresAt?: number;
  readonly isRevoked: boolean;
  /** For pages in browsers: it ends within a day, as it is meant to. */
  readonly isBrowser?: true;
  readonly budget?: { readonly microUsd: number; readonly per: string; readonly usedMicroUsd: number };
  readonly images?: { readonly count: number; readonly per: string; readonly used: number };
}

/** The process that asks, as far as it matters to a gateway started the same way. */
export interface ProcessFacts {
  /** Such as `24.3.0`. */
  readonly nodeVersion: string;
  /** Absent where the system has none. */
  readonly userId?: number;
  /** How many files may be open at once; absent where the system does not say. */
  readonly maxOpenFiles?: number;
}

/** The door to the world: files, sockets and the clock. Errors are values, so that a check can say which one it was. */
export interface DoctorIo {
  /** Epoch ms. */
  now(): number;
  /** The addresses of a name. */
  resolve(host: string): Promise<Tried<readonly string[]>>;
  /** Opens a TCP connection and closes it. */
  connect(host: string, port: number): Promise<Tried<{ readonly ms: number }>>;
  /** A TLS handshake; a certificate that is not trusted is told, not refused. */
  handshake(host: string, port: number): Promise<Tried<Certificate>>;
  /** One exchange, at most 1 MiB of answer. Goes through no proxy. */
  fetch(request: DoctorRequest): Promise<Tried<DoctorResponse>>;
  /** Whether this process could listen there now. */
  listen(host: string, port: number): Promise<Tried<Record<string, never>>>;
  /** Of the file system that holds the path, or its nearest parent that exists. */
  disk(path: string): Promise<Tried<{ readonly freeBytes: number; readonly totalBytes: number }>>;
  /** Of a file or directory. */
  stat(path: string): Promise<Tried<FileFacts>>;
  /** Writes and removes a file of a few bytes in that directory, which is made if need be and removed again. */
  write(directory: string): Promise<Tried<Record<string, never>>>;
  /** The server's version, and how long a question took. */
  database(url: string): Promise<Tried<DatabaseFacts>>;
  process(): Promise<ProcessFacts>;
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'other';
  /** The permission bits, such as 0o700. */
  readonly mode: number;
  readonly bytes: number;
  /** Absent where the system has none. */
  readonly ownerId?: number;
}

export interface DatabaseFacts {
  /** Such as `16.4`. */
  readonly version: string;
  /** Of one question on an open connection. */
  readonly ms: number;
  readonly maxConnections: number;
  /** In use by anybody now; absent where the role may not see it. */
  readonly connections?: number;
}

/** `code` is Node's or PostgreSQL's, such as `ENOTFOUND`, `CERT_HAS_EXPIRED`, `28P01`; `TIMEOUT` when time ran out. */
export type Tried<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: string; readonly message: string };

export interface Certificate {
  readonly subject: string;
  readonly issuer: string;
  /** Epoch ms. */
  readonly validFrom: number;
  readonly validTo: number;
  readonly authorized: boolean;
  /** Why it is not trusted, such as `CERT_HAS_EXPIRED` or `SELF_SIGNED_CERT_IN_CHAIN`. */
  readonly reason?: string;
}

export interface DoctorRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Default: the world's `timeoutMs`. */
  readonly timeoutMs?: number;
}

export interface DoctorResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Until the headers, and until the end. */
  readonly firstByteMs: number;
  readonly ms: number;
  /** Until the first byte of the body; absent where there was none. */
  readonly firstBodyMs?: number;
}
