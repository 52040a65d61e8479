import type { Adaptation, MaskPolarity } from './capabilities.ts';
import type { PromptFinding } from './policy/prompt-finding.ts';
import type { Ladder, LaxerSetting } from './policy/refusal-ladder.ts';
import type { Rewrite } from './policy/rewrite.ts';
import type { Price } from './price.ts';
import type { ImageRequest } from './request.ts';

/** What every run is held to, whatever it makes. Plain JSON. */
export interface RunPlan {
  /** The public name the caller used, or the default model's. */
  readonly route: string;
  readonly targets: readonly PlannedTarget[];
  /** Targets of the route that cannot serve this request, and why. */
  readonly passedOver?: readonly PassedOver[];
  /** The name asked for is retired, and its successor serves; both without a provider. */
  readonly successor?: { readonly of: string; readonly target: string; readonly retiredOn: string };
  readonly policy: Policy;
  readonly createdAt: number;
  /** The caller's deadline (epoch ms); no new attempt starts after it. */
  readonly deadlineAt: number;
  /** A task: it runs to its end whether or not anybody waits. */
  readonly unattended?: true;
  /** Its class in every queue; absent means interactive. */
  readonly priority?: 'batch';
  /** The trace that its caller's request belongs to; says nothing of what is made, and moves no key or fingerprint. */
  readonly trace?: TraceContext;
}

/** W3C Trace Context as a caller sent it, checked. https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** `00-` trace id, parent span id, flags. */
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Everything fixed when a request for pictures arrived. It is stored, so a config edit never bends a run in flight. */
export interface Plan extends RunPlan {
  readonly request: ImageRequest;
  /** What a rule says about the prompt beside the answer. */
  readonly warnings?: readonly PromptFinding[];
  /** The prompt in milder words, as the rules that held for it say them; absent where none matches. */
  readonly rewrite?: Rewrite;
  /** Rules held for the prompt, and hold for any other words in its place. */
  readonly ruled?: true;
  /** The generation that this one repeats, by its id. */
  readonly regeneratedFrom?: string;
  /** It takes part in the cache: what it makes may be kept, and it may answer for others while it runs. */
  readonly cached?: true;
}

export interface PassedOver {
  readonly target: string;
  readonly reason: string;
  readonly kind: 'capability' | 'not_found';
  /** How many of `targets` come before it in the route. */
  readonly at: number;
}

/** One model behind one credential: what breakers and limits attach to. */
export interface PlannedTarget {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  /** Names the credential; the secret and the address are looked up when an attempt is built. */
  readonly credential: string;
  /** The keys of a pool, one of which an attempt goes with; absent where `credential` is the only one. */
  readonly credentials?: readonly string[];
  readonly streams: boolean;
  readonly maxImagesPerCall: number;
  readonly firstByteMs: number;
  /** What this target is sent, where that is not the plan's request as it is. */
  readonly request?: ImageRequest;
  /** What marks the area to edit in the masks it is sent; absent where it is transparency, as in the request. */
  readonly maskPolarity?: MaskPolarity;
  /** What became of the fields that the caller set; absent where nobody knows what the model takes. */
  readonly adapted?: readonly Adaptation[];
  /** Seeds go from 0 to this; absent where nobody knows. */
  readonly maxSeed?: number;
  /** The caller gave no seed; the one in `request` was drawn here, so that the picture can be made again. */
  readonly seedDrawn?: true;
  /** Nothing is billed there, so whatever was lost may be made again. */
  readonly free?: true;
  /** Of a free target: without any progress for this long, a job is given up and made elsewhere. */
  readonly stallMs?: number;
  /** What it documents as its less strict setting, where the ladder has that rung and the request does not use it. */
  readonly laxer?: LaxerSetting;
  /** Absent means unknown, never free. */
  readonly price?: Price;
}

/** `accept`: told. `retry_new_seed`: another is paid for, as far as `maxPaidAttempts` goes. `fail`: it counts as missing. */
export type SuspectPolicy = 'accept' | 'retry_new_seed' | 'fail';

/** Of a picture in another format than was asked for: `rename` tells what it is, `convert` writes it anew, `fail` counts it as missing. */
export type OutputMismatch = 'convert' | 'rename' | 'fail';

export type Payment = 'strict' | 'standard' | 'available';

export interface Policy {
  readonly payment: Payment;
  /** Attempts the provider may bill, at most. */
  readonly maxPaidAttempts: number;
  readonly fallback: boolean;
  /** What may be tried after a refusal; without it a refusal is the answer. */
  readonly refusals?: Ladder;
  /** What becomes of a picture that is doubted; absent: it is the answer, and only what needs no decoding is looked for. */
  readonly suspect?: SuspectPolicy;
  /** Default `rename`; said, it holds for the format instead of `suspect`. */
  readonly outputMismatch?: OutputMismatch;
  readonly retry: RetryPolicy;
  readonly timeout: TimeoutPolicy;
}

export interface RetryPolicy {
  /** Attempts per target as long as none may have been billed. */
  readonly maxFreeAttempts: number;
  /** The same, when another target is ready. */
  readonly maxFreeAttemptsBeforeFallback: number;
  /** Attempts per target that may have been billed, when another target is ready. */
  readonly maxPaidAttemptsBeforeFallback: number;
  /** Full jitter over these, doubled per attempt, capped. */
  readonly notSentDelayMs: number;
  readonly throttledDelayMs: number;
  readonly overloadedDelayMs: number;
  readonly maxDelayMs: number;
  /** With another target ready, fall back rather than wait longer than this. */
  readonly maxWaitBeforeFallbackMs: number;
  /** While somebody waits: what the attempts of a run may have lost, the next one like the last, to ask the same target again. */
  readonly maxLostMs?: number;
  /** While somebody waits: a longer wait, for a hint or after a failure, is the caller's own. */
  readonly maxWaitMs?: number;
  /** While somebody waits: the longest from its arrival to its turn under a limit, as far as can be foreseen. */
  readonly maxQueueMs?: number;
}

export interface TimeoutPolicy {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  /** How long an attempt stays open for its late answer after a clock ended the caller's wait. */
  readonly harvestMs: number;
}
