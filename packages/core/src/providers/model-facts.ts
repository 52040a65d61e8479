import type { Capabilities, SizeRule } from '../capabilities.ts';
import type { JsonObject } from '../json.ts';

/** Capabilities in the terms of the data files: what `readModel` reads back to the same. */
export function capabilityFacts(capabilities: Capabilities): JsonObject {
  const { size, compression, maxSeed, negativePrompt, maxPromptChars, references, ...same } = capabilities;
  return {
    size: sizeFacts(size),
    ...same,
    ...(compression && { compression }),
    ...(maxSeed !== undefined && { max_seed: maxSeed }),
    ...(negativePrompt && { negative_prompt: negativePrompt }),
    ...(references && { references: { ...references } }),
    ...(maxPromptChars !== undefined && { max_prompt_chars: maxPromptChars }),
  };
}

function sizeFacts(size: SizeRule): JsonObject {
  switch (size.kind) {
    case 'any':
    case 'fixed':
      return { kind: size.kind };
    case 'list':
      return { kind: 'list', sizes: size.sizes };
    case 'pixels':
      return {
        kind: 'pixels',
        multiple_of: size.multipleOf,
        min_side: size.minSide,
        max_side: size.maxSide,
        ...(size.minPixels !== undefined && { min_pixels: size.minPixels }),
        ...(size.maxPixels !== undefined && { max_pixels: size.maxPixels }),
        ...(size.maxRatio !== undefined && { max_ratio: size.maxRatio }),
        ...(size.auto && { auto: true }),
      };
    case 'ratio':
      return {
        kind: 'ratio',
        ratios: size.ratios,
        ...(size.resolutions && { resolutions: Object.fromEntries(size.resolutions) }),
      };
  }
}
