import type { AnswerReader } from '../exchange.ts';
import type { Failure } from '../failure.ts';
import type { HttpResponse } from '../http.ts';
import type { JsonObject } from '../json.ts';
import type { Provider } from '../providers/provider.ts';
import type { ChatRequest, ChatUsage } from './chat.ts';

/** Reads an answer and hands it on: a stream as it comes, a body when it was found whole. */
export interface ChatAnswer extends AnswerReader {
  /** After the exchange: hands on what is left, and says why it is no answer. Rejects with an `AnswerFault`. */
  conclude(handOn: HandOn): Promise<Failure | undefined>;
  /** The provider's own error was passed on as the last thing. */
  hasTold(): boolean;
  usage(): ChatUsage | undefined;
  passed(): { readonly bytes: number; readonly events: number };
}

/** A returned promise holds the flow; what goes wrong there is an `AnswerFault`. */
export type HandOn = (bytes: Buffer) => void | Promise<void>;

export interface ChatAnswerOptions {
  readonly head: Pick<HttpResponse, 'status' | 'headers'>;
  readonly request: ChatRequest;
  /** The work goes on without us, so its first event is the answer: by the id in it its end can be asked for. */
  readonly background?: boolean;
  /** How many answers were asked for in one. */
  readonly choices: number;
  readonly provider: Provider;
  /** Takes our key out of what the provider says, before its words are cut short: half a key is one too many. */
  readonly redact: <Said extends JsonObject | string>(said: Said) => Said;
  readonly maxBytes: number;
  readonly now: () => number;
  /** Called once, before the first byte is handed on. */
  readonly begin: () => void;
  readonly handOn: HandOn;
}
