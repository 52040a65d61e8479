import { completeFailure, presentable } from './classify.ts';
import { type Downloading, downloadResult } from './download.ts';
import type { Failure } from './failure.ts';
import type { HttpResponse } from './http.ts';
import type { Intake } from './images/intake.ts';
import { type GeneratedImage, gravest, type Outcome } from './journal.ts';
import { messageOf } from './message-of.ts';
import type { Progress, ProviderImage } from './providers/provider.ts';
import type { Stopwatch } from './stopwatch.ts';
import { settleSource } from './streamed.ts';

interface Collecting extends Downloading {
  readonly intake: Intake;
  readonly response: HttpResponse;
  readonly verifying: Stopwatch;
}

/** Pictures of one answer that are fetched at once. */
const MAX_DOWNLOADS = 4;
/** Ten pictures, and room for a provider that makes more than were asked for. */
const MAX_RESULTS = 32;

/**
 * Turns what a provider calls done into verified, stored pictures. Some of several is a success that says what is
 * missing; none is a failure after `completed` work, which is never paid for again by itself.
 */
export async function collectImages(progress: Progress & { kind: 'done' }, from: Collecting): Promise<Outcome> {
  const results = await obtainAll(progress.images.slice(0, MAX_RESULTS), from);
  const images = placed(results, progress.images);
  const lost = results.filter(isFailure);
  const now = from.environment.io.now();
  const refused = (progress.missing ?? [])
    .slice(0, MAX_RESULTS)
    .map((reading) => completeFailure(reading, from.response, now));
  const explained = [...lost, ...refused];
  const shown = images.reduce((sum, { pictures = 1 }) => sum + pictures, 0);
  const unexplained = Math.max(0, from.plan.request.n - shown - explained.length);
  const missing = [...explained, ...Array.from({ length: unexplained }, () => noImage(from.response))];
  const told = {
    ...(progress.usage && { usage: progress.usage }),
    ...(progress.costUsd !== undefined && progress.costUsd >= 0 && { costUsd: progress.costUsd }),
  };
  if (images.length > 0) return { ok: true, images, ...(missing.length > 0 && { missing }), ...told };
  const failure = gravest(missing, missing[0] ?? noImage(from.response));
  return { ok: false, failure, ...(missing.length > 1 && { missing }) };
}

type Obtained = GeneratedImage | Failure;

function isFailure(result: Obtained): result is Failure {
  return !('asset' in result);
}

/** In their order, a few at a time. */
async function obtainAll(images: readonly ProviderImage[], from: Collecting): Promise<readonly Obtained[]> {
  const results = new Map<number, Obtained>();
  const waiting = images.entries();
  const work = async () => {
    for (const [index, image] of waiting) results.set(index, await obtain(image, from));
  };
  await Promise.all(Array.from({ length: MAX_DOWNLOADS }, work));
  return images.flatMap((_, index) => results.get(index) ?? []);
}

/** The pictures that came, each with its place in its job where that is not simply its place here. */
function placed(results: readonly Obtained[], images: readonly ProviderImage[]): readonly GeneratedImage[] {
  let place = 1;
  let expected = 1;
  return results.flatMap((result, index) => {
    const { pictures = 1 } = images[index] ?? {};
    const at = place;
    place += pictures;
    if (isFailure(result)) return [];
    const image = at === expected ? result : { ...result, place: at };
    expected += pictures;
    return [image];
  });
}

/** What goes wrong with one picture is no reason to lose the others. */
async function obtain({ source, ...told }: ProviderImage, from: Collecting): Promise<Obtained> {
  const settled = await (source.kind === 'url'
    ? downloadResult(source.url, from)
    : from.verifying.time(() => settleSource(from.intake, source))
  ).catch(notStored);
  if ('kind' in settled) return settled;
  if (!('ok' in settled) && from.environment.cancel.aborted) return canceledFetch(from.response);
  if (!('ok' in settled)) return lostDownload(settled.why, from.response);
  if (!settled.ok) return unusable(settled, from.response);
  return { asset: settled.asset, ...told };
}

function notStored(error: unknown): Failure {
  return { kind: 'storage', certainty: 'completed', message: `the picture could not be stored: ${messageOf(error)}` };
}

function canceledFetch(response: HttpResponse): Failure {
  return {
    kind: 'canceled',
    certainty: 'completed',
    message: 'canceled while the finished picture was being fetched; the provider bills it',
    ...requestIdOf(response),
  };
}

function unusable(verdict: { readonly problem: string; readonly detail: string }, response: HttpResponse): Failure {
  return {
    kind: 'corrupt',
    certainty: 'completed',
    message: `what the provider sent as a picture is not usable (${verdict.problem.replaceAll('_', ' ')}): ${verdict.detail}`,
    classifiedBy: `verification: ${verdict.problem}`,
    ...requestIdOf(response),
  };
}

function lostDownload(why: string, response: HttpResponse): Failure {
  return {
    kind: 'corrupt',
    certainty: 'completed',
    message: `the provider made the picture but its link could not be fetched: ${why}`,
    classifiedBy: 'download',
    ...requestIdOf(response),
  };
}

function noImage(response: HttpResponse): Failure {
  return {
    kind: 'empty',
    certainty: 'completed',
    message: 'the provider answered success without a picture',
    classifiedBy: 'no image in the answer',
    ...requestIdOf(response),
  };
}

function requestIdOf(response: HttpResponse): { requestId?: string } {
  const requestId = presentable(response.headers['x-request-id'] ?? '');
  return requestId === '' ? {} : { requestId };
}
