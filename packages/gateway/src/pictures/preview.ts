import type { TargetFormat } from './convert.ts';

/** Widths that a preview may have: few, so that a picture has few of them. */
export const PREVIEW_WIDTHS: readonly number[] = [64, 128, 256, 512, 1_024, 2_048];
export const PREVIEW_FORMATS: readonly TargetFormat[] = ['webp', 'jpeg', 'png', 'avif'];
export const DEFAULT_PREVIEW_FORMAT: TargetFormat = 'webp';

/** What a stored picture is to be shown as: smaller, in another format, or both. */
export interface Preview {
  /** One of `PREVIEW_WIDTHS`; absent keeps the picture's size. */
  readonly width?: number;
  /** Default `webp`. */
  readonly format?: TargetFormat;
  /** 1 to 100; default 80 for a smaller picture, else what the converter takes. */
  readonly quality?: number;
}

/** The query that asks for it, always in the same order. */
export function previewQuery({ width, format, quality }: Preview): string {
  const given = { w: width, format, q: quality };
  const fields = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return fields.join('&');
}

export function formatOf({ format = DEFAULT_PREVIEW_FORMAT }: Preview): TargetFormat {
  return format;
}

/** Tells previews of one picture apart; fit to be a file's name. */
export function previewKey(preview: Preview): string {
  const { width, quality } = preview;
  return [
    width === undefined ? 'whole' : `w${width}`,
    formatOf(preview),
    quality === undefined ? 'auto' : `q${quality}`,
  ].join('-');
}
