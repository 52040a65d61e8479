import { type AskedFields, type GenerationDetail, pictureOfLine } from '../../api/generations.ts';
import type { Capabilities } from '../../api/models.ts';
import type { PictureBody } from '../../api/playground.ts';

/** What stands in the form, as texts; an empty one is not asked for. */
export interface Form {
  readonly model: string;
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly n: number;
  /** Several of which one is picked; 1 is none. */
  readonly candidates: number;
  readonly size: string;
  readonly aspectRatio: string;
  readonly resolution: string;
  readonly quality: string;
  readonly format: string;
  readonly compression: string;
  readonly background: string;
  readonly moderation: string;
  readonly seed: string;
  readonly payment: '' | 'strict' | 'standard' | 'available';
  readonly previews: boolean;
}

export const EMPTY_FORM: Form = {
  ...{ model: '', prompt: '', negativePrompt: '', n: 1, candidates: 1, size: '', aspectRatio: '', resolution: '' },
  ...{
    quality: '',
    format: '',
    compression: '',
    background: '',
    moderation: '',
    seed: '',
    payment: '',
    previews: true,
  },
};

export const MOST = { pictures: 10, candidates: 8 };

/** The names of the fields that a model may not have. */
export type Setting = Exclude<keyof Form, 'model' | 'prompt' | 'n' | 'candidates' | 'payment' | 'previews'>;

/** How a setting can be made for a model: not at all and why, by choosing, or by writing. */
export type Offer =
  | { readonly kind: 'off'; readonly why: string }
  | { readonly kind: 'choice'; readonly values: readonly string[]; readonly hint?: string }
  | { readonly kind: 'text'; readonly hint: string; readonly suggestions?: readonly string[] };

const USUAL_SIZES = ['auto', '1024x1024', '1536x1024', '1024x1536'];
const ANY = 'Passed on as it is.';

/** What can be asked of a model, setting by setting. Without capabilities nobody knows, so everything is offered. */
export function offersFor(capabilities: Capabilities | undefined): Readonly<Record<Setting, Offer>> {
  if (capabilities === undefined)
    return {
      size: { kind: 'text', hint: 'WIDTHxHEIGHT, or auto', suggestions: USUAL_SIZES },
      aspectRatio: { kind: 'text', hint: 'such as 16:9' },
      resolution: { kind: 'text', hint: ANY },
      quality: { kind: 'choice', values: ['auto', 'low', 'medium', 'high'] },
      format: { kind: 'choice', values: ['png', 'jpeg', 'webp'] },
      compression: { kind: 'text', hint: '0 to 100, of jpeg and webp' },
      background: { kind: 'choice', values: ['auto', 'opaque', 'transparent'] },
      moderation: { kind: 'choice', values: ['auto', 'low'] },
      seed: { kind: 'text', hint: 'a whole number' },
      negativePrompt: { kind: 'text', hint: ANY },
    };
  const { quality, formats, compression, background, moderation, max_seed: maxSeed, negative_prompt } = capabilities;
  return {
    ...sizeOffers(capabilities),
    quality: choice(quality, 'this model has one quality'),
    format: choice(formats, 'this model chooses its format by itself; what comes is converted where it must be'),
    compression: compression
      ? { kind: 'text', hint: '0 to 100, of jpeg and webp' }
      : off('this model cannot be told how much to compress'),
    background: choice(background, 'every picture of this model is opaque'),
    moderation: choice(moderation, 'the moderation of this model cannot be set'),
    seed:
      maxSeed === undefined
        ? off('this model takes no seed, so no picture can be made a second time')
        : { kind: 'text', hint: `0 to ${maxSeed}; empty: one is drawn` },
    negativePrompt: negative_prompt
      ? { kind: 'text', hint: 'what should not be in it' }
      : off('this model knows no negative prompt; say in the prompt what it should look like'),
  };
}

function sizeOffers({ size }: Capabilities): Pick<Record<Setting, Offer>, 'size' | 'aspectRatio' | 'resolution'> {
  const noResolution = off('this model has no resolutions by name');
  switch (size.kind) {
    case 'any':
      return {
        size: { kind: 'text', hint: 'WIDTHxHEIGHT, or auto', suggestions: USUAL_SIZES },
        aspectRatio: { kind: 'text', hint: 'such as 16:9' },
        resolution: { kind: 'text', hint: ANY },
      };
    case 'list':
      return {
        size: { kind: 'choice', values: size.sizes },
        aspectRatio: off('this model has fixed sizes; choose one of them'),
        resolution: noResolution,
      };
    case 'pixels':
      return {
        size: { kind: 'text', hint: pixelHint(size), suggestions: size.auto ? USUAL_SIZES : USUAL_SIZES.slice(1) },
        aspectRatio: { kind: 'text', hint: 'such as 16:9, where no size is set' },
        resolution: noResolution,
      };
    case 'ratio':
      return {
        size: off('this model is told a ratio; a size is translated to the nearest one'),
        aspectRatio: { kind: 'choice', values: size.ratios },
        resolution: size.resolutions ? { kind: 'choice', values: Object.keys(size.resolutions) } : noResolution,
      };
    case 'fixed': {
      const one = off('the size of what comes out is that of what goes in, or the only one there is');
      return { size: one, aspectRatio: one, resolution: noResolution };
    }
  }
}

function pixelHint(size: Extract<Capabilities['size'], { kind: 'pixels' }>): string {
  const { multiple_of: step, min_side: least, max_side: most } = size;
  return `each side ${least} to ${most} pixels${step > 1 ? `, in steps of ${step}` : ''}`;
}

function choice(values: readonly string[] | undefined, why: string): Offer {
  return values === undefined || values.length === 0 ? off(why) : { kind: 'choice', values };
}

function off(why: string): Offer {
  return { kind: 'off', why };
}

/** The request that the form stands for; what the model cannot be told is left out. */
export function bodyOf(form: Form, offers: Readonly<Record<Setting, Offer>>): PictureBody {
  const value = (name: Setting) => {
    const text = form[name].trim();
    return offers[name].kind === 'off' || text === '' ? undefined : text;
  };
  const number = (name: Setting) => {
    const text = value(name);
    return text === undefined || !Number.isFinite(Number(text)) ? text : Number(text);
  };
  const body = {
    model: form.model.trim() || undefined,
    prompt: form.prompt,
    n: form.candidates > 1 || form.n === 1 ? undefined : form.n,
    size: value('size'),
    aspect_ratio: value('aspectRatio'),
    resolution: value('resolution'),
    quality: value('quality'),
    output_format: value('format'),
    output_compression: number('compression'),
    background: value('background'),
    moderation: value('moderation'),
    seed: form.candidates > 1 ? undefined : number('seed'),
    negative_prompt: value('negativePrompt'),
    onetake: controlsOf(form),
  };
  return Object.fromEntries(Object.entries(body).filter(([, one]) => one !== undefined)) as unknown as PictureBody;
}

function controlsOf({ payment, candidates }: Form): Readonly<Record<string, unknown>> | undefined {
  if (payment === '' && candidates === 1) return undefined;
  return { ...(payment !== '' && { payment }), ...(candidates > 1 && { candidates, pick: 'all' }) };
}

/** The form that asks for the same again. */
export function formOf({ request, route, policy }: Pick<GenerationDetail, 'request' | 'route' | 'policy'>): Form {
  const { n = 1, seed, output_compression: compression } = request;
  const { payment } = policy;
  return {
    ...EMPTY_FORM,
    ...textsOf(request),
    model: route,
    n,
    compression: compression === undefined ? '' : String(compression),
    seed: seed === undefined ? '' : String(seed),
    payment: payment === 'strict' || payment === 'available' ? payment : '',
  };
}

function textsOf(request: AskedFields) {
  return {
    prompt: request.prompt ?? '',
    negativePrompt: request.negative_prompt ?? '',
    size: request.size ?? '',
    aspectRatio: request.aspect_ratio ?? '',
    resolution: request.resolution ?? '',
    quality: request.quality ?? '',
    format: request.output_format ?? '',
    background: request.background ?? '',
    moderation: request.moderation ?? '',
  };
}

/** Where the pictures that a request worked from can be had. */
export function referencesOf({ images = [] }: AskedFields) {
  return images.flatMap((line) => pictureOfLine(line) ?? []);
}

/** Why the form cannot be sent as it is; undefined where it can. */
export function whyNot(
  form: Form,
  references: number,
  capabilities: Capabilities | undefined,
  operations: readonly string[],
) {
  if (form.prompt.trim() === '') return 'Write what the picture should show.';
  if (references === 0 && operations.length > 0 && !operations.includes('generate'))
    return 'This model works from pictures alone; add one.';
  if (references > 0 && operations.length > 0 && !operations.includes('edit'))
    return 'This model takes no pictures to work from; remove them, or choose another model.';
  const most = capabilities?.references?.max;
  if (most !== undefined && references > most)
    return `This model works from at most ${most} ${most === 1 ? 'picture' : 'pictures'}; remove ${references - most}.`;
  return undefined;
}
