import type { Failure } from '../failure.ts';
import type { HttpRequest, HttpResponse, SseEvent } from '../http.ts';
import type { JsonObject } from '../json.ts';
import type { Price } from '../price.ts';
import type { Limits } from '../rate.ts';
import type { ImageRequest } from '../request.ts';

/**
 * One API, as pure translations: an adapter never sends, waits, retries, reads a clock, or sees a secret outside
 * `authorize`. It reads leniently, writes strictly, and never throws for something the provider said.
 */
export interface Provider {
  readonly id: string;
  readonly models: readonly Model[];
  /** Each model has a credential of its own, so that one model's trouble says nothing of another's. */
  readonly credentialPerModel?: boolean;
  authorize(request: HttpRequest, credential: Credential): HttpRequest;
  readonly image?: ImageCalls;
  /** The failure this answer means; undefined leaves it to the shared status table. */
  classify(response: HttpResponse): FailureReading | undefined;
  /** Capabilities of a model that is not in `models`; undefined when this provider cannot have such a model. */
  model(id: string): Model | undefined;
}

export interface ImageCalls {
  readonly submit: Call<ImageRequest>;
  readonly poll?: Call<Handle>;
  /** Asks the provider to give a job up. */
  readonly cancel?: CancelCall;
  /** Reads one event of a streamed answer; undefined for an event that says nothing to us. */
  readonly stream?: (event: SseEvent) => StreamReading | undefined;
}

export interface Call<In> {
  build(input: In, context: CallContext): HttpRequest;
  parse(response: HttpResponse, input: In): Progress;
}

export interface CancelCall {
  build(handle: Handle, context: CallContext): HttpRequest;
  parse(response: HttpResponse, handle: Handle): CancelReading;
}

/** What a provider said when it was asked to give a job up. */
export interface CancelReading {
  /** The provider itself says that the job will not be finished. */
  readonly confirmed: boolean;
  /** `rejected` only where the provider says that the job is not billed; else nobody knows. */
  readonly certainty: 'rejected' | 'ambiguous';
  readonly message: string;
}

export interface CallContext {
  readonly runId: string;
  readonly attempt: number;
  readonly model: string;
  readonly baseUrl: string;
  /** Where the provider may say that a job has news; it only makes us look sooner. */
  readonly webhookUrl?: string;
}

/** What a provider's classify says; the shared table fills in what it leaves out. */
export type FailureReading = Pick<Failure, 'kind' | 'message'> & Partial<Omit<Failure, 'kind' | 'message'>>;

export type Progress =
  | {
      readonly kind: 'done';
      readonly images: readonly ProviderImage[];
      readonly usage?: JsonObject;
    }
  | {
      readonly kind: 'waiting';
      readonly handle: Handle;
      readonly pollAfterMs?: number;
      /** 0 to 100, where the provider says. */
      readonly progress?: number;
      readonly stage?: Stage;
    }
  | { readonly kind: 'failed'; readonly failure: FailureReading };

/** How far a job has come at the provider. */
export type Stage = 'queued' | 'cold_start' | 'running';

/** What looks a submitted job up again; journaled before anything waits for it. */
export type Handle = JsonObject;

/** One image as the provider gave it: bytes already taken from the answer, base64 too short to be taken out, or a URL. */
export type ImageSource =
  | { readonly kind: 'blob'; readonly blob: number }
  | { readonly kind: 'base64'; readonly base64: string }
  | { readonly kind: 'url'; readonly url: string };

/** Settings that a provider chooses where a request says `auto`, or nothing. */
export interface Resolved {
  readonly background?: string;
  readonly quality?: string;
}

export interface ProviderImage {
  readonly source: ImageSource;
  readonly seed?: number;
  readonly revisedPrompt?: string;
  /** What the provider made of what was left to it. */
  readonly resolved?: Resolved;
}

export type StreamReading =
  | { readonly kind: 'partial'; readonly index: number; readonly source: ImageSource; readonly event: JsonObject }
  | {
      readonly kind: 'completed';
      readonly image: ProviderImage;
      readonly usage?: JsonObject;
    }
  | { readonly kind: 'failed'; readonly failure: FailureReading };

export interface Model {
  readonly id: string;
  readonly maxImagesPerCall: number;
  readonly operations: readonly ImageRequest['operation'][];
  readonly streams: boolean;
  /** Marked fast models get the shorter first-byte clock. */
  readonly fast?: boolean;
  /** Absent means unknown, never free. */
  readonly price?: Price;
  /** What the provider is known to allow one account; absent where that is found out by its answers. */
  readonly limits?: Limits;
}

export interface Credential {
  /** Names the credential in health, journals and errors; never the secret. */
  readonly id: string;
  readonly secret: string;
}
