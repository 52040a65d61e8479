import type { Asset } from './images/asset.ts';
import type { JsonObject } from './json.ts';

/** What a caller wants, in OpenAI's terms; adapters translate it. Absent fields were not asked for. */
export interface ImageRequest {
  readonly operation: 'generate' | 'edit';
  readonly prompt: string;
  /** Pictures wanted, 1 to 10. */
  readonly n: number;
  readonly size?: string;
  readonly quality?: string;
  readonly outputFormat?: string;
  readonly outputCompression?: number;
  readonly background?: string;
  readonly moderation?: string;
  readonly seed?: number;
  readonly stream?: boolean;
  readonly partialImages?: number;
  /** References of an edit, in order; stored before the plan so that a restart still has them. */
  readonly images?: readonly Asset[];
  readonly mask?: Asset;
  /** Fields Onetake does not know; they pass unchanged to the first target only. */
  readonly extra?: JsonObject;
}
