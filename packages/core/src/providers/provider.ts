import type { Capabilities } from '../capabilities.ts';
import type { ChatEndpoint } from '../chat/endpoints.ts';
import type { Failure } from '../failure.ts';
import type { HttpRequest, HttpResponse, SseEvent } from '../http.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Price } from '../price.ts';
import type { Limits } from '../rate.ts';
import type { ImageRequest, Operation } from '../request.ts';

/**
 * One API, as pure translations: an adapter never sends, waits, retries, reads a clock, or sees a secret outside
 * `authorize`. It reads leniently, writes strictly, and never throws for something the provider said.
 */
export interface Provider {
  readonly id: string;
  readonly models: readonly Model[];
  /** How it is usually reached; absent for what has neither an address nor a key of its own. */
  readonly access?: Access;
  /** Each model has a credential of its own, so that one model's trouble says nothing of another's. */
  readonly credentialPerModel?: boolean;
  authorize(request: HttpRequest, credential: Credential): HttpRequest;
  /** `safe` where nothing is billed whatever happens: what was lost is simply made again. Absent, it is paid again. */
  readonly resubmit?: 'safe';
  /** It draws a seed for each attempt itself, because there the same request twice would be answered with nothing. */
  readonly drawsSeeds?: true;
  readonly image?: ImageCalls;
  readonly chat?: ChatCalls;
  /** Where its results may be fetched from besides its own address; absent, from any public https address. */
  readonly results?: ResultHosts;
  /** Asks which models there are now; free. */
  readonly catalog?: CatalogCall;
  /** The failure this answer means; undefined leaves it to the shared status table. */
  classify(response: HttpResponse): FailureReading | undefined;
  /** Capabilities of a model that is not in `models`; undefined when this provider cannot have such a model. */
  model(id: string): Model | undefined;
  /** The provider's own id of the exchange, where it is not in `x-request-id` or `request-id`. */
  requestId?(response: HttpResponse): string | undefined;
}

export interface Access {
  /** Its public or usual address, without a trailing slash; absent where every account or machine has its own. */
  readonly baseUrl?: string;
  /** Environment variables its key is usually in, the commonest first; absent where it wants none. */
  readonly keyVariables?: readonly string[];
  /** Environment variables its address is usually in. */
  readonly baseUrlVariables?: readonly string[];
  /** Puts what such a variable says in the terms of an address, where other programs read less in it. */
  readonly readAddress?: (told: string) => string;
  /** It is configured by its address, or by its name alone where it has a usual one; a key is optional. */
  readonly keyless?: true;
}

/** A host is meant with everything under it: `bfl.ai` covers `delivery-eu.bfl.ai`. */
export interface ResultHosts {
  readonly hosts: readonly string[];
  /** Those of them that want the provider's key; no other host is ever sent it. */
  readonly authorized?: readonly string[];
}

export interface CatalogCall {
  build(context: Pick<CallContext, 'baseUrl'>): HttpRequest;
  parse(response: HttpResponse): readonly ListedModel[];
}

/** A model as its provider lists it. */
export interface ListedModel {
  readonly id: string;
  /** ISO date on which it stops working. */
  readonly shutdownDate?: string;
}

export interface ImageCalls {
  readonly submit: SubmitCall;
  readonly poll?: PollCall;
  /**
   * Asks a server that works on one picture at a time how far it is, while the submit is open. Its progress keeps the
   * clock of the first byte from running out.
   */
  readonly watch?: {
    build(context: CallContext): HttpRequest;
    parse(response: HttpResponse): { readonly progress?: number };
  };
  /** Asks a server how many jobs it has, whoever gave them to it: of a pool, the one with the fewest is next. */
  readonly queue?: {
    build(context: Pick<CallContext, 'baseUrl'>): HttpRequest;
    /** Undefined where the answer does not say. */
    parse(response: HttpResponse): number | undefined;
  };
  /** Asks the provider to give a job up. */
  readonly cancel?: CancelCall;
  /** Reads one event of a streamed answer; undefined for an event that says nothing to us. */
  readonly stream?: (event: SseEvent) => StreamReading | undefined;
}

/** OpenAI's wire of chat, passed through: only where it is, and who may be asked for what. */
export interface ChatCalls {
  /** Where an endpoint is reached; undefined where the provider does not have it. */
  url(endpoint: ChatEndpoint, context: Pick<CallContext, 'baseUrl' | 'model'>): string | undefined;
  /** Known models with what is known of them; others may be asked for too. */
  readonly models: readonly ChatModel[];
  /** Whether a bare name that nobody lists is one of this provider's, as `gpt-` is OpenAI's. */
  readonly owns?: RegExp;
  /** Which models there are is up to others, so any name may be one of its own. */
  readonly takesAny?: true;
  /** What every model costs that has no price of its own; absent means unknown, never free. */
  readonly price?: Price;
  /** How a request of chat carries the key, where that is not as for pictures. */
  readonly authorize?: Provider['authorize'];
}

export interface ChatModel {
  readonly id: string;
  readonly endpoints: readonly ChatEndpoint[];
  /** It thinks before it speaks; absent: as its name says. */
  readonly reasoning?: boolean;
  /** ISO date on which it stops working. */
  readonly shutdownDate?: string;
  /** Absent means unknown, never free. */
  readonly price?: Price;
  readonly limits?: Limits;
}

/** A submit may take several requests, each read with the `state` that the one before it left. */
export interface SubmitCall {
  build(input: ImageRequest, context: CallContext): HttpRequest;
  parse(response: HttpResponse, input: ImageRequest, context: CallContext, state?: JsonValue): Progress;
  /**
   * Where uploads go before it, the request that is paid for, to be shown: a name that only the answer to an upload
   * tells has a text in its place, which `standIns` lists.
   */
  paid?(input: ImageRequest, context: CallContext): PaidRequest;
}

export interface PaidRequest {
  readonly request: HttpRequest;
  readonly standIns: readonly string[];
}

export interface PollCall {
  build(handle: Handle, context: CallContext): HttpRequest;
  parse(response: HttpResponse, handle: Handle, context: CallContext): Progress;
  /**
   * Reads an answer that is an error and yet the job's own end, as where a result is fetched and the answer says why
   * there is none; undefined where it is only the look that failed.
   */
  verdict?(response: HttpResponse, handle: Handle): FailureReading | undefined;
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
  /** What links to our stored pictures begin with, where the provider can reach us; see `assetLink`. */
  readonly assetsUrl?: string;
  /** Where the provider may say that a job has news; it only makes us look sooner. */
  readonly webhookUrl?: string;
}

/** What a provider's classify says; the shared table fills in what it leaves out. */
export type FailureReading = Pick<Failure, 'kind' | 'message'> & Partial<Omit<Failure, 'kind' | 'message'>>;

export type Progress =
  | {
      readonly kind: 'done';
      readonly images: readonly ProviderImage[];
      /** Why pictures that were asked for are not among them, where the provider says. */
      readonly missing?: readonly FailureReading[];
      readonly usage?: JsonObject;
      /** What the provider itself says that this call cost, US dollars; it goes before any price list. */
      readonly costUsd?: number;
    }
  /** Of a submit: one more request, such as the generation after an upload. `parse` gets `state` back with its answer. */
  | { readonly kind: 'next'; readonly request: HttpRequest; readonly state: JsonValue }
  | {
      readonly kind: 'waiting';
      /** A poll may change it, as where the next look goes to another address. */
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
  /** How many pictures the file shows side by side: 4 in a grid of two by two. Default 1. */
  readonly pictures?: number;
  readonly seed?: number;
  readonly revisedPrompt?: string;
  /** What the provider marked it as, such as `nsfw`, and gave it nonetheless. */
  readonly flagged?: string;
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
  readonly operations: readonly Operation[];
  readonly streams: boolean;
  /** Absent: the request goes to it as it is. */
  readonly capabilities?: Capabilities;
  /** Marked fast models get the shorter first-byte clock. */
  readonly fast?: boolean;
  /** Its own first-byte clock. */
  readonly firstByteMs?: number;
  /** ISO date on which it stops working. */
  readonly shutdownDate?: string;
  /** What its provider names in its place. */
  readonly successor?: string;
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
