import type { TimelineEvent } from '../../api/generations.ts';
import { duration } from '../../ui/format.ts';

/** One event of a journal as a sentence. */
export function eventWords(event: TimelineEvent): string {
  const { type, attempt, target = 'its target', failure, status, reason = 'no reason is noted' } = event;
  switch (type) {
    case 'attempt-started':
      return `Attempt ${attempt} goes to ${target}${event.credential === undefined ? '' : ` with ${event.credential}`}${event.free ? ', which bills nothing' : ''}.`;
    case 'attempt-ended':
      return `Attempt ${attempt} ${endWords(event)}${status === undefined ? '' : ` (HTTP ${status})`}.`;
    case 'handle-received':
      return `The provider took the job of attempt ${attempt} on${progressWords(event)}.`;
    case 'polled':
      return failure ? `A look at the job failed: ${failure.message}` : `The job was looked at${progressWords(event)}.`;
    case 'partial-sent':
      return `Preview ${(event.index ?? 0) + 1} was handed on.`;
    case 'mask-converted':
      return 'The mask was converted to what the target reads.';
    case 'answer-begun':
      return 'The first content went to the caller; from here nothing is tried again.';
    case 'clock-fired':
      return `The ${event.clock} clock ran out: ${failure?.message ?? 'the caller is told'}; the attempt stays open for a late answer.`;
    case 'target-skipped':
      return `${target} is passed over: ${reason}`;
    case 'waiting':
      return `Waits${event.until === undefined ? '' : ` ${duration(Math.max(0, event.until - event.at))}`} for ${target}: ${reason}`;
    case 'rung-taken':
      return `After the refusal it goes on with ${event.rung ?? 'the next step'}, at ${target}.`;
    case 'finished':
      return event.ok ? 'It ended with what was asked for.' : `It ended: ${failure?.message ?? 'nothing came of it'}`;
    default:
      return type;
  }
}

function endWords({ ok, images, failure }: TimelineEvent): string {
  if (ok)
    return images
      ? `brought ${images.length} verified ${images.length === 1 ? 'picture' : 'pictures'}`
      : 'brought an answer';
  if (!failure) return 'failed';
  return `failed as ${failure.kind} (${failure.certainty}, billed: ${failure.billed}): ${failure.message.replace(/\.$/, '')}`;
}

function progressWords({ progress, stage }: TimelineEvent): string {
  const said = [...(stage === undefined ? [] : [stage]), ...(progress === undefined ? [] : [`${progress} %`])];
  return said.length === 0 ? '' : `: ${said.join(', ')}`;
}
