import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Connection } from '../faults/fault.ts';
import type { LinkRule } from '../links.ts';
import type { TaskContext } from '../tasks/submit.ts';
import type { Letter } from '../tasks/webhook.ts';
import type { Answer, Reason, Refusal } from '../wire/answer.ts';
import type { Fields } from '../wire/body.ts';
import type { JobView } from './views.ts';

/**
 * A provider's protocol: what its paths take and what they answer. It only translates; the verbs `paint` (paint.ts),
 * `startJob`, `jobOf` and `cancelJob` (jobs.ts) check, admit, charge and play what goes wrong.
 */
export interface Protocol {
  /** The first part of its paths, and of its models on the bill. */
  readonly name: string;
  /** What a base URL has after `/<name>`, such as `/v1`; empty where absent. */
  readonly basePath?: string;
  readonly routes: readonly ProtocolRoute[];
  /** The caller's key, or undefined where it is missing, which refuses with 401; absent, the protocol takes no key. */
  readonly key?: (headers: IncomingHttpHeaders, query: URLSearchParams) => string | undefined;
  /** Writes a refusal as the provider does: its status, its envelope, its hints how long to wait. */
  readonly refuse: (refusal: ProtocolRefusal, call: ProtocolCall) => Answer;
  /** Headers of every answer, such as the provider's request id. */
  readonly headers?: (call: ProtocolCall) => Readonly<Record<string, string>>;
  /** How long its links to pictures are good; absent, they do not expire. */
  readonly links?: LinkRule;
  readonly jobs?: JobRules;
}

/** How a provider's jobs differ from others'. */
export interface JobRules {
  /** In the provider's manner; a UUID where absent. */
  readonly newId?: () => string;
  /** Faults that it does not charge although the sandbox's own API of jobs would, such as `moderated-output`. */
  readonly unbilled?: readonly string[];
  /** Whether a cancellation leaves the charge: `begun`, the default, takes it back only for a job that has not begun. */
  readonly cancelBills?: 'begun' | 'always' | 'never';
  /** Faults that mean another one to a job; `policy-output` means `moderated-output` already. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** What is posted to the job's webhook when it ends; absent, the protocol has no webhooks. */
  readonly letter?: (job: JobView) => Letter | Promise<Letter>;
}

export interface ProtocolRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** After `/<name>`: `:id` takes one part, `:model*` one or more; text may follow a name, as in `:model:predict`. */
  readonly path: string;
  /** Starts paid work: what it refuses stands on the bill too, without a charge. */
  readonly bills?: true;
  /** Takes no key. */
  readonly open?: true;
  /** Reads a script and throws where it is misspelled; the words of jobs, which have those of pictures, where absent. */
  readonly readScript?: (call: ProtocolCall) => unknown;
  /** Undefined when it has written the response itself. A RefusedError is answered by the protocol's `refuse`. */
  readonly handle: (call: ProtocolCall) => ProtocolAnswer | undefined | Promise<ProtocolAnswer | undefined>;
}

/** An answer, and how far the connection lets it come. */
export interface ProtocolAnswer extends Answer {
  readonly connection?: Connection;
}

/** A refusal whose reason is known. Where a hint how long to wait is given, `waitMs` has it, and `headers` Retry-After. */
export interface ProtocolRefusal extends Refusal {
  readonly reason: Reason;
}

/** One request to an imitated protocol. */
export interface ProtocolCall {
  readonly protocol: Protocol;
  readonly context: TaskContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the path's names took, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** JSON, a form, or nothing. */
  readonly body: Fields;
  readonly form: boolean;
  /** Where the caller reaches `/<name>`, with any `/fault/<script>` before it and without a slash at the end. */
  readonly base: string;
  /** The path of `base`. */
  readonly basePath: string;
  /** What goes wrong: the field `fault`, else `/fault/<script>` in the path. */
  readonly script: string | undefined;
  readonly key: string | undefined;
  /** What is known of its line on the bill, filled in by the verbs. */
  readonly bill: { written: boolean; model?: string; prompt?: string; endpoint?: string };
}
