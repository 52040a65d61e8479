import { placeOf, takeCue } from '../accept.ts';
import type { ImageContext } from '../exchange.ts';
import type { PictureAct } from '../faults/fault.ts';
import { linkTo } from '../links.ts';
import { delivered, type Job, makePicture } from '../pictures.ts';
import { wait } from '../wait.ts';
import { type Answer, pageAnswer, RefusedError } from '../wire/answer.ts';
import type { ImageCall } from '../wire/call.ts';
import { firstHalf } from '../wire/deliver.ts';
import { base64Of } from '../wire/images.ts';
import { callOf, draftFor, type PictureOrder } from './orders.ts';
import type { Protocol, ProtocolAnswer, ProtocolCall } from './protocol.ts';
import { reasoned } from './routing.ts';
import type { PaintedPicture } from './views.ts';
import { paintScript } from './words.ts';

export type { PaintedPicture } from './views.ts';

/** What came of an order, for the protocol to write. */
export interface Painted {
  readonly call: ImageCall;
  /** Those delivered; fewer than `call.n` where some are missing. */
  readonly pictures: readonly PaintedPicture[];
  /** The list of pictures is to be left out of the answer. */
  readonly listAbsent: boolean;
  /** The pictures are flagged as unsafe, and delivered. */
  readonly flagged: boolean;
  /** How the limiter says what is left, in OpenAI's headers. */
  readonly rateHeaders: Readonly<Record<string, string>>;
}

type Write = (painted: Painted) => Answer | Promise<Answer>;

const MIMES = { png: 'image/png', jpeg: 'image/jpeg', webp: 'image/webp', svg: 'image/svg+xml' } as const;

/**
 * Answers an order at once: admits it, takes the cue, writes the charge, then draws or plays what goes wrong. What
 * refuses throws, for the protocol's `refuse`. With `blocked`, pictures that moderation holds back at the output are
 * drawn and given to it, for providers that answer such a request as if it had gone well.
 */
export async function paint(
  call: ProtocolCall,
  order: PictureOrder,
  write: Write,
  blocked?: Write,
): Promise<ProtocolAnswer | undefined> {
  const image = callOf(order);
  const draft = draftFor(call, order, image);
  const script = paintScript(call.script);
  const { limiter, ledger } = call.context;
  const admission = limiter.admit(draft.model, { images: image.n }, performance.now());
  if (!admission.admitted) throw new RefusedError(reasoned(admission.refusal));
  if (call.response.closed) admission.leave();
  else call.response.once('close', admission.leave);
  const cue = takeCue(ledger, script, placeOf(call.key, draft.model, script, order.prompt), draft, image.n);
  call.bill.written = true;

  const { act } = cue.fault;
  if (act.kind === 'page') return pageAnswer(act.status, act.html);
  const rateHeaders = admission.headers;
  const shared = { call: image, model: order.model, cue };
  if (act.kind === 'refuse') {
    const refusal = reasoned(act.refusal({ value: cue.value, model: order.model, now: Date.now() }));
    if (refusal.reason !== 'policy-output' || !blocked) throw new RefusedError(refusal);
    return blocked(await drawAll(call, { ...shared, act: { kind: 'pictures' } }, rateHeaders));
  }
  if (act.waits && !(await wait((cue.value ?? 0) * 1000, call.response))) return undefined;
  const answer = await write(await drawAll(call, { ...shared, act }, rateHeaders));
  return brokenOff(answer, act);
}

/** An answer as a fault of the connection lets it come. */
export function brokenOff(answer: Answer, { cut, connection }: PictureAct): ProtocolAnswer {
  return { ...answer, ...(cut && { body: firstHalf(answer.body) }), ...(connection && { connection }) };
}

async function drawAll(call: ProtocolCall, job: Job, rateHeaders: Painted['rateHeaders']): Promise<Painted> {
  const pictures: PaintedPicture[] = [];
  const count = job.act.list === undefined ? delivered(job) : 0;
  for (let index = 0; index < count; index++) pictures.push(await paintedPicture(call, job, index, Date.now()));
  const flagged = job.act.flagged === true;
  return { call: job.call, pictures, listAbsent: job.act.list === 'absent', flagged, rateHeaders };
}

/** Draws picture `index`; `at` is when it was done, in milliseconds since the epoch. */
export async function paintedPicture(
  { context, protocol }: { readonly context: ImageContext; readonly protocol: Protocol },
  job: Job,
  index: number,
  at: number,
  token?: string,
): Promise<PaintedPicture> {
  const picture = await makePicture(context.studio, job, index);
  const linked = { ...job, at, ...(token !== undefined && { token }) };
  return {
    ...picture,
    get base64() {
      return base64Of(picture.bytes).toString('latin1');
    },
    mime: MIMES[picture.format],
    link: () => linkTo(context, picture, linked, protocol.links),
  };
}
