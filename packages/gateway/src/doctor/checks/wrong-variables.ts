import { WELL_KNOWN } from '../../config/protocols.ts';
import { isSet } from '../../config/provider-keys.ts';
import type { Finding } from '../check.ts';
import type { DoctorWorld } from '../world.ts';
import { isAskedFor } from './found.ts';

/** What else a provider is called in names of variables; besides its id. */
const CALLED: Readonly<Record<string, string>> = {
  openai: 'OPEN_?AI',
  azure: 'AZURE_?OPEN_?AI|AZURE_AI',
  bfl: 'BFL|BLACK_?FOREST_?LABS|FLUX',
  stability: 'STABILITY(?:_?AI)?|DREAMSTUDIO',
  leonardo: 'LEONARDO(?:_?AI)?',
  replicate: 'REPLICATE',
  fal: 'FAL(?:_?AI)?',
  google: 'GOOGLE_(?:AI|GEMINI|GENAI|AI_STUDIO)|GEMINI(?:_AI)?|GOOGLE_API|GOOGLE',
  xai: 'X_?AI|GROK',
  luma: 'LUMA(?:_?AI)?|LUMALABS',
  together: 'TOGETHER(?:_?AI)?',
  fireworks: 'FIREWORKS(?:_?AI)?',
  deepinfra: 'DEEP_?INFRA',
  ideogram: 'IDEOGRAM',
  recraft: 'RECRAFT',
  bedrock: 'AWS_BEDROCK|BEDROCK',
};
const KEY = '_?(?:API_?)?(?:KEY|TOKEN|SECRET|SECRET_?KEY|AUTH_?TOKEN|ACCESS_?TOKEN)S?';

/** Keys that stand where nobody looks for them, while the place where one is looked for is empty. */
export function wrongVariables(world: DoctorWorld): readonly Finding[] {
  const read = world.config.ok ? world.config.config.providers : [];
  return WELL_KNOWN.flatMap(({ id, access }): Finding[] => {
    const [usual, ...others] = access?.keyVariables ?? [];
    const called = CALLED[id];
    if (usual === undefined || called === undefined || !isAskedFor(world, id)) return [];
    if ([usual, ...others].some((name) => isSet(name, world.env)) || hasKey(read, id)) return [];
    const pattern = new RegExp(`^(?:${called})${KEY}$`, 'i');
    const wrong = Object.keys(world.env).find((name) => pattern.test(name) && world.env[name] && !isRead(read, name));
    if (wrong === undefined) return [];
    return [
      {
        id: 'keys.wrong-variable',
        level: 'warning',
        subject: wrong,
        message: `${wrong} is set and nothing reads it; the key of ${id} is looked for in ${[usual, ...others].join(', ')}`,
        advice: `Set ${usual} to it, or name the variable with providers.${id}.key_env.`,
        fix: `export ${usual}="$${wrong}"`,
      },
    ];
  });
}

type Configured = readonly { readonly id: string; readonly keySource: string | undefined }[];

function hasKey(providers: Configured, id: string): boolean {
  return providers.some((one) => one.id === id && one.keySource !== undefined);
}

function isRead(providers: Configured, variable: string): boolean {
  return providers.some(({ keySource = '' }) => keySource.split(', ').includes(variable));
}
