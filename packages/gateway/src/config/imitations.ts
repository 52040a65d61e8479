/** Where the sandbox imitates a protocol, as its `GET /protocols` says. */
const IMITATIONS: ReadonlyMap<string, string> = new Map([
  ['openai', '/openai/v1'],
  ['openai-responses', '/openai/v1'],
  ['azure', '/azure'],
  ['bfl', '/bfl'],
  ['stability', '/stability'],
  ['leonardo', '/leonardo/api/rest/v1'],
  ['replicate', '/replicate/v1'],
  ['fal', '/fal'],
  ['google', '/google/v1beta'],
  ['foxapi', '/foxapi/v1'],
  ['evolink', '/evolink/v1'],
  ['midjourney', '/midjourney/mj'],
  ['automatic1111', '/automatic1111'],
  ['comfyui', '/comfyui'],
]);

/** The kinds that the sandbox can play. */
export const IMITATED: readonly string[] = [...IMITATIONS.keys()];

/** The path at the sandbox that speaks as a kind does; undefined for a kind that it cannot play. */
export function imitationOf(kind: string): string | undefined {
  return IMITATIONS.get(kind);
}
