import { invalidField, readBoolean, readChoice, readNumber, readText } from './fields.ts';

type Values = Readonly<Record<string, unknown>>;

/** What an input field takes: one of some words, a number in bounds, a text, a flag, a picture, or several. */
type Rule =
  | readonly string[]
  | { readonly least: number; readonly most: number }
  | 'text'
  | 'flag'
  | 'picture'
  | 'pictures';

/** The fields of a model as its page lists them; any other is refused. `single`: its output is one link and no list. */
export interface Schema {
  readonly fields: Readonly<Record<string, Rule>>;
  readonly single?: true;
}

const SEED = { least: 0, most: 0xffff_ffff };
const FLUX_RATIOS = ['1:1', '16:9', '21:9', '3:2', '2:3', '4:5', '5:4', '3:4', '4:3', '9:16', '9:21'];
const GEMINI_RATIOS = ['match_input_image', '1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'];
const QUALITY = { output_quality: { least: 0, most: 100 } };
const JPG_PNG = { output_format: ['jpg', 'png'] };
const ANY_FORMAT = { output_format: ['webp', 'jpg', 'png'], ...QUALITY };

const FLUX: Schema['fields'] = {
  ...{ prompt: 'text', aspect_ratio: FLUX_RATIOS, num_outputs: { least: 1, most: 4 }, seed: SEED, ...ANY_FORMAT },
  ...{ num_inference_steps: { least: 1, most: 50 }, disable_safety_checker: 'flag', go_fast: 'flag' },
  megapixels: ['1', '0.25'],
};
const GEMINI: Schema['fields'] = {
  ...{ prompt: 'text', image_input: 'pictures', aspect_ratio: GEMINI_RATIOS, ...JPG_PNG },
};
const KONTEXT: Schema['fields'] = {
  ...{ prompt: 'text', input_image: 'picture', aspect_ratio: ['match_input_image', ...FLUX_RATIOS], seed: SEED },
  ...{ ...JPG_PNG, safety_tolerance: { least: 0, most: 6 }, prompt_upsampling: 'flag' },
};
const SDXL: Schema['fields'] = {
  ...{ prompt: 'text', negative_prompt: 'text', image: 'picture', mask: 'picture', seed: SEED },
  ...{ width: { least: 64, most: 2048 }, height: { least: 64, most: 2048 }, num_outputs: { least: 1, most: 4 } },
  ...{ guidance_scale: { least: 1, most: 50 }, prompt_strength: { least: 0, most: 1 } },
};

export const SCHEMAS: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ['black-forest-labs/flux-schnell', { fields: FLUX }],
  ['black-forest-labs/flux-dev', { fields: { ...FLUX, image: 'picture', prompt_strength: { least: 0, most: 1 } } }],
  ['black-forest-labs/flux-kontext-pro', { fields: KONTEXT, single: true }],
  ['black-forest-labs/flux-kontext-max', { fields: KONTEXT, single: true }],
  [
    'black-forest-labs/flux-2-pro',
    {
      fields: {
        ...{ prompt: 'text', input_images: 'pictures', seed: SEED, prompt_upsampling: 'flag', ...ANY_FORMAT },
        ...{ width: { least: 256, most: 1440 }, height: { least: 256, most: 1440 } },
      },
      single: true,
    },
  ],
  ['google/nano-banana', { fields: GEMINI, single: true }],
  ['google/nano-banana-pro', { fields: { ...GEMINI, resolution: ['1K', '2K', '4K'] }, single: true }],
  [
    'bytedance/seedream-4',
    {
      fields: {
        prompt: 'text',
        image_input: 'pictures',
        size: ['1K', '2K', '4K', 'custom'],
        aspect_ratio: GEMINI_RATIOS,
      },
    },
  ],
  [
    'ideogram-ai/ideogram-4-5',
    {
      fields: {
        ...{ prompt: 'text', images: 'pictures', mask: 'picture', quality: 'text', size: 'text' },
        ...{ num_images: { least: 1, most: 8 }, seed: SEED },
      },
    },
  ],
  ['stability-ai/sdxl', { fields: SDXL }],
]);

/** Versions that are known by what they are a version of; any other takes everything. */
export const VERSIONS: ReadonlyMap<string, string> = new Map([
  ['7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc', 'stability-ai/sdxl'],
]);

/** Which fields of an input hold its pictures and their number. */
export interface InputFields {
  readonly pictures: readonly string[];
  readonly count: string;
  readonly list: boolean;
}

/** Refuses an input that its model would refuse. */
export function checkInput(input: Values, schema: Schema | undefined): InputFields {
  if (!schema) return { pictures: [], count: 'num_outputs', list: true };
  const entries = Object.entries(schema.fields);
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(schema.fields, name))
      throw invalidField('input', 'choice', `Additional property ${name} is not allowed`);
  }
  if (readText(input, 'prompt') === undefined) throw invalidField('input', 'missing', 'prompt is required');
  for (const [name, rule] of entries) checkField(input, name, rule);
  return {
    pictures: entries.filter(([, rule]) => rule === 'picture' || rule === 'pictures').map(([name]) => name),
    count: Object.hasOwn(schema.fields, 'num_images') ? 'num_images' : 'num_outputs',
    list: schema.single !== true,
  };
}

function checkField(input: Values, name: string, rule: Rule): void {
  const value = input[name];
  if (value === undefined || value === null) return;
  if (rule === 'text') readText(input, name);
  else if (rule === 'flag') readBoolean(input, name);
  else if (rule === 'picture' || rule === 'pictures') {
    if (Array.isArray(value) !== (rule === 'pictures')) throw invalidField(`input.${name}`, 'type', 'Invalid type');
  } else if ('least' in rule) readNumber(input, name, rule.least, rule.most);
  else readChoice(input, name, rule);
}
