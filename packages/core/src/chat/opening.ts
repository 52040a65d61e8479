import { isObject, type JsonObject, type JsonValue, stringAt } from '../json.ts';
import type { ChatEndpoint } from './endpoints.ts';
import type { StreamEvent } from './stream-events.ts';
import { errorIn } from './told-failure.ts';

/**
 * What one of the first events is: `prelude` says nothing yet and may be held; with `content` the answer has begun;
 * `done` closes a stream that never began.
 */
type Opening =
  | { readonly kind: 'prelude' | 'content' | 'done' }
  | { readonly kind: 'failed'; readonly error: JsonObject };

/** Events of Responses that come before anything was made. */
const PRELUDES: ReadonlySet<string> = new Set([
  ...['response.created', 'response.queued', 'response.in_progress', 'response.output_item.added'],
  ...['response.content_part.added', 'response.reasoning_summary_part.added', 'keepalive', 'ping'],
]);

/** Judges an event before the first content; what is not known counts as content, so that nothing new is ever held. */
export function openingOf(event: StreamEvent, endpoint: ChatEndpoint): Opening {
  const error = errorIn(event);
  if (error) return { kind: 'failed', error };
  if (event.text === undefined) return { kind: 'prelude' };
  if (event.text.trim() === '[DONE]') return { kind: 'done' };
  const { value } = event;
  if (!isObject(value)) return { kind: 'content' };
  if (endpoint === 'responses') {
    return { kind: PRELUDES.has(stringAt(value, 'type') ?? event.name ?? '') ? 'prelude' : 'content' };
  }
  if (value.choices === undefined && PRELUDES.has(stringAt(value, 'type') ?? '')) return { kind: 'prelude' };
  if (hasContent(value)) return { kind: 'content' };
  const ended = finishOf(value);
  if (ended === undefined) return { kind: 'prelude' };
  if (!FAILED_ENDS.has(ended)) return { kind: 'content' };
  const message = `the answer ended with the finish_reason ${ended} before it said anything`;
  return { kind: 'failed', error: { code: ended, message } };
}

/** OpenRouter's, where an error does not stand beside it; DeepSeek's, which has no room. */
const FAILED_ENDS: ReadonlySet<string> = new Set(['error', 'insufficient_system_resource']);

function finishOf({ choices }: JsonObject): string | undefined {
  const listed: readonly JsonValue[] = Array.isArray(choices) ? choices : [];
  const ended = listed.find((choice) => isObject(choice) && Boolean(choice.finish_reason));
  return ended === undefined ? undefined : (stringAt(ended, 'finish_reason') ?? '');
}

function hasContent({ choices }: JsonObject): boolean {
  if (!Array.isArray(choices)) return true;
  return choices.some((choice: JsonValue) => {
    if (!isObject(choice)) return true;
    const { delta } = choice;
    if (!isObject(delta)) return Object.keys(choice).some((key) => !SAYS_NOTHING.has(key) && isSaid(choice[key]));
    return Object.keys(delta).some((key) => key !== 'role' && isSaid(delta[key]));
  });
}

const SAYS_NOTHING: ReadonlySet<string> = new Set(['index', 'finish_reason', 'logprobs', 'content_filter_results']);

/** Servers fill what they have nothing for with null, an empty string or an empty list. */
function isSaid(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}
