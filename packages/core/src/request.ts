import type { Asset } from './images/asset.ts';
import type { JsonObject } from './json.ts';

/** What a caller wants, in OpenAI's terms; adapters translate it. Absent fields were not asked for. */
export interface ImageRequest {
  readonly operation: Operation;
  readonly prompt: string;
  /** Pictures wanted, 1 to 10. */
  readonly n: number;
  /** `WIDTHxHEIGHT` or `auto`. */
  readonly size?: string;
  /** `16:9`; a caller may ask for it instead of a size, and a model that takes ratios is told this instead of the size. */
  readonly aspectRatio?: string;
  /** `1K`, `2K`: with a ratio, how large. */
  readonly resolution?: string;
  readonly quality?: string;
  readonly outputFormat?: string;
  readonly outputCompression?: number;
  readonly background?: string;
  readonly moderation?: string;
  readonly seed?: number;
  readonly negativePrompt?: string;
  readonly stream?: boolean;
  readonly partialImages?: number;
  /** References of an edit, in order; stored before the plan so that a restart still has them. */
  readonly images?: readonly Asset[];
  readonly mask?: Asset;
  /** Of a variation or an upscale: the picture it starts from, at the provider that made it. */
  readonly source?: PictureSource;
  /** Fields Onetake does not know; they pass unchanged to the first target only. */
  readonly extra?: JsonObject;
}

/** An `edit` works from pictures that are sent; a `variation` and an `upscale` from one that the provider still has. */
export type Operation = 'generate' | 'edit' | 'variation' | 'upscale';

/** A picture by the job that made it. */
export interface PictureSource {
  /** `provider/model` that made it. */
  readonly target: string;
  /** Which key or server of a pool it went with: others know nothing of the job. Absent where the target has one. */
  readonly credential?: string;
  /** The job's handle, as its adapter wrote it. */
  readonly handle: JsonObject;
  /** Which of its pictures, from 1. */
  readonly index: number;
}
