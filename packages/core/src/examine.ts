import type { RunEnvironment } from './environment.ts';
import type { GeneratedImage } from './journal.ts';
import type { Plan, PlannedTarget } from './plan.ts';
import { suspicions, typeAskedFor } from './policy/suspects.ts';
import type { ImageRequest } from './request.ts';
import { fieldsFor } from './request-for.ts';

interface Examining {
  readonly plan: Plan;
  readonly target: PlannedTarget;
  readonly environment: Pick<RunEnvironment, 'look' | 'convert'>;
}

/**
 * The pictures of one answer, each with the reasons there are to doubt it. They are decoded only where the plan says what
 * is to happen to those that are doubted: everybody else has them sooner.
 */
export async function examined(
  images: readonly GeneratedImage[],
  { plan, target, environment }: Examining,
): Promise<readonly GeneratedImage[]> {
  const asked = fieldsFor(plan, target);
  // A grid is larger than the pictures it shows.
  const { size: _size, resolution: _resolution, aspectRatio: _ratio, ...askedOfGrid } = asked;
  const convert = plan.policy.outputMismatch === 'convert' ? environment.convert : undefined;
  const look = plan.policy.suspect && environment.look;
  return Promise.all(
    images.map(async (made) => {
      const image = await inTypeAskedFor(made, asked, convert);
      const { asset, flagged, pictures = 1 } = image;
      const request = pictures > 1 ? askedOfGrid : asked;
      const found = suspicions({ request, asset, flagged, look: await look?.(asset).catch(() => undefined) });
      return found.length > 0 ? { ...image, suspect: found } : image;
    }),
  );
}

/** What cannot be converted stays what it is, and is told. */
async function inTypeAskedFor(
  image: GeneratedImage,
  asked: ImageRequest,
  convert: RunEnvironment['convert'],
): Promise<GeneratedImage> {
  const type = typeAskedFor(asked);
  if (convert === undefined || type === undefined || type === image.asset.type) return image;
  const converted = await convert(image.asset, type).catch(() => undefined);
  return converted === undefined ? image : { ...image, asset: converted, original: image.asset };
}
