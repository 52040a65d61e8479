import { createAnswerReader } from './answer.ts';
import type { RunEnvironment } from './environment.ts';
import { exchange } from './exchange.ts';
import type { Failure } from './failure.ts';
import type { HttpResponse } from './http.ts';
import { createIntake, type Intake, type Settled } from './images/intake.ts';
import type { GeneratedImage, Outcome } from './journal.ts';
import type { Plan } from './plan.ts';
import type { Progress, ProviderImage } from './providers/provider.ts';
import { settleSource } from './streamed.ts';

interface Collecting {
  readonly plan: Plan;
  readonly environment: RunEnvironment;
  readonly intake: Intake;
  readonly response: HttpResponse;
  /** The provider's configured origin: the one place off the public internet its results may be fetched from. */
  readonly origin: string;
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
  const settled = source.kind === 'url' ? await download(source.url, from) : await settleSource(from.intake, source);
  if ('kind' in settled) return settled;
  if (!settled.ok) return unusable(settled, from.response);
  return { asset: settled.asset, ...told };
}

/** A failed download is retried as a download, never as a new picture. Redirects are not followed. */
async function download(url: string, from: Collecting): Promise<Settled | Failure> {
  const { environment, plan } = from;
  if (!URL.canParse(url)) return lostDownload('it is not a URL', from.response);
  const reach = new URL(url).origin === from.origin ? 'configured' : 'public';
  let last: Failure | undefined;
  for (let tries = 0; tries < environment.limits.maxDownloadTries; tries += 1) {
    const intake = createIntake(environment.assets);
    const got = await exchange(
      environment.io,
      { method: 'GET', url, headers: { accept: 'image/*' } },
      {
        connectMs: plan.policy.timeout.connectMs,
        firstByteMs: plan.policy.timeout.idleMs,
        idleMs: plan.policy.timeout.idleMs,
        deadlineAt: environment.io.now() + plan.policy.timeout.totalMs,
        totalMs: plan.policy.timeout.totalMs,
        harvestMs: () => 0,
        cancel: environment.cancel,
        reach,
        readAsset: (asset) => environment.assets.read(asset),
        openReader: (status, headers) =>
          createAnswerReader(status, headers, { intake, maxBytes: environment.limits.maxAnswerBytes, isImage: true }),
        onClock: () => {},
      },
    );
    if (got.ok && got.response.status === 200) return intake.settle(0);
    await intake.discardAll();
    last = lostDownload(got.ok ? `status ${got.response.status}` : got.failure.message, from.response);
  }
  return last ?? noImage(from.response);
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
