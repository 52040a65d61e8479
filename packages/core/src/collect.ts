import { completeFailure } from './classify.ts';
import { type Downloading, downloadResult } from './download.ts';
import type { Failure } from './failure.ts';
import type { HttpResponse } from './http.ts';
import type { Intake } from './images/intake.ts';
import type { GeneratedImage, Outcome } from './journal.ts';
import type { Progress, ProviderImage } from './providers/provider.ts';
import { settleSource } from './streamed.ts';

interface Collecting extends Downloading {
  readonly intake: Intake;
  readonly response: HttpResponse;
}

/**
 * Turns what a provider calls done into verified, stored pictures. Some of several is a success that says what is
 * missing; none is a failure after `completed` work, which is never paid for again by itself.
 */
export async function collectImages(progress: Progress & { kind: 'done' }, from: Collecting): Promise<Outcome> {
  const images: GeneratedImage[] = [];
  const missing: Failure[] = [];
  for (const image of progress.images) {
    const got = await obtain(image, from);
    if ('asset' in got) images.push(got);
    else missing.push(got);
  }
  const { n } = from.plan.request;
  const now = from.environment.io.now();
  missing.push(...(progress.missing ?? []).map((reading) => completeFailure(reading, from.response, now)));
  const [first] = missing;
  if (images.length === 0) return { ok: false, failure: first ?? noImage(from.response) };
  const absent = Array.from({ length: Math.max(0, n - images.length - missing.length) }, () => noImage(from.response));
  const lacking = [...missing, ...absent];
  return {
    ok: true,
    images,
    ...(lacking.length > 0 && { missing: lacking }),
    ...(progress.usage && { usage: progress.usage }),
  };
}

async function obtain(image: ProviderImage, from: Collecting): Promise<GeneratedImage | Failure> {
  const { source, ...told } = image;
  const settled =
    source.kind === 'url' ? await downloadResult(source.url, from) : await settleSource(from.intake, source);
  if ('why' in settled) return lostDownload(settled.why, from.response);
  if (!settled.ok) return unusable(settled, from.response);
  return { asset: settled.asset, ...told };
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
  const requestId = response.headers['x-request-id'];
  return requestId === undefined ? {} : { requestId };
}
