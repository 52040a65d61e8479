import type { Maker } from './maker.ts';

/** Seconds a picture or an answer takes: 0.1 s to ten minutes. */
const LONG_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600];
/** Seconds of one stage of an attempt, of which some are a millisecond long. */
const STAGE_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Seconds in a queue; a task may wait for hours. */
const WAIT_SECONDS = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600];

/** What is counted as it happens; it begins at 0 with the process. */
export function countedMetrics({ counter, histogram }: Maker) {
  const counted = {
    started: counter('requests_started_total', 'Generations that began to run, or were taken up again.', 'makes'),
    requests: counter('requests_total', 'Generations that ended, by how.', 'makes', 'status', 'code'),
    requestSeconds: histogram(
      'request_duration_seconds',
      'From the arrival of a request to the end of its generation.',
      LONG_SECONDS,
      ...(['makes', 'status'] as const),
    ),
    queueSeconds: histogram(
      'queue_wait_seconds',
      'From the arrival of a request to its first attempt.',
      WAIT_SECONDS,
      'makes',
    ),
    attempts: counter('attempts_total', 'Attempts that ended: completed, or what failed.', 'target', 'outcome'),
    attemptSeconds: histogram('attempt_duration_seconds', 'How long attempts took.', LONG_SECONDS, 'target'),
    stageSeconds: histogram(
      'attempt_stage_duration_seconds',
      'Time in each stage of an attempt: connect, first_byte, body, verify.',
      STAGE_SECONDS,
      'stage',
    ),
    repeated: counter('repeated_attempts_total', 'Attempts that were a retry or a fallback.', 'role'),
    failures: counter('failures_total', 'Attempts that failed, by cause and by what is known.', 'kind', 'certainty'),
    skipped: counter('targets_skipped_total', 'Targets that were passed over while a run went on.', 'target'),
    images: counter('images_total', 'Pictures that were made and verified.', 'target'),
    pictureBytes: counter('picture_bytes_total', 'Bytes of the pictures that generations ended with.'),
    spent: counter('spent_usd_total', 'US dollars that are certainly spent, at known prices.', 'target'),
    possible: counter('possible_usd_total', 'US dollars that outcomes nobody knows may have cost.', 'target'),
    unpriced: counter('unpriced_attempts_total', 'Attempts that are or may be billed at an unknown price.', 'target'),
    http: counter('http_requests_total', 'Answers of the gateway itself.', 'method', 'route', 'status'),
    answeredBefore: counter(
      'answered_before_total',
      'Requests for which nobody was asked: from the cache, a result that reached nobody, the same Idempotency-Key.',
      'by',
    ),
  };
  // What is there from the start at 0 loses no first increment to a rate.
  for (const makes of ['pictures', 'chat']) counted.started.inc({ makes }, 0);
  for (const role of ['retry', 'fallback']) counted.repeated.inc({ role }, 0);
  for (const by of ['cache', 'attached', 'idempotency']) counted.answeredBefore.inc({ by }, 0);
  return counted;
}

export type CountedMetrics = ReturnType<typeof countedMetrics>;
