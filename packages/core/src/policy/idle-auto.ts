import type { Capabilities, SizeRule } from '../capabilities.ts';
import type { ImageRequest } from '../request.ts';

/** `auto` leaves a choice to the model: to one that has no such word, silence says the same. */
export function withoutIdleAuto(request: ImageRequest, capabilities: Capabilities): ImageRequest {
  const { size, quality, background, moderation, ...rest } = request;
  const isIdle = (value: string | undefined, takesAuto: boolean) => value === 'auto' && !takesAuto;
  const idle = {
    size: isIdle(size, sizeTakesAuto(capabilities.size)),
    quality: isIdle(quality, capabilities.quality?.includes('auto') ?? false),
    background: isIdle(background, capabilities.background?.includes('auto') ?? false),
    moderation: isIdle(moderation, capabilities.moderation?.includes('auto') ?? false),
  };
  if (!Object.values(idle).includes(true)) return request;
  return {
    ...rest,
    ...(size !== undefined && !idle.size && { size }),
    ...(quality !== undefined && !idle.quality && { quality }),
    ...(background !== undefined && !idle.background && { background }),
    ...(moderation !== undefined && !idle.moderation && { moderation }),
  };
}

function sizeTakesAuto(rule: SizeRule): boolean {
  if (rule.kind === 'any') return true;
  return rule.kind === 'list' ? rule.sizes.includes('auto') : rule.kind === 'pixels' && rule.auto === true;
}
