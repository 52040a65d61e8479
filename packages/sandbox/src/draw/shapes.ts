/** 0xRRGGBB. */
export type Color = number;

/** A vertical gradient over a shape's own height; `alpha` runs from 0 to 1. */
export interface Paint {
  readonly top: Color;
  readonly bottom: Color;
  readonly alpha: number;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One thing in a scene, in the scene's own pixels; y grows downwards. */
export type Shape =
  | ({ readonly kind: 'box'; readonly paint: Paint } & Box)
  | {
      readonly kind: 'disc';
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly paint: Paint;
      readonly clip?: Box;
    }
  /** Light that fades from `alpha` at the centre to nothing at `radius`. */
  | {
      readonly kind: 'glow';
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly color: Color;
      readonly alpha: number;
    }
  /** Everything below a line through `heights`, which stand at equal steps from the left edge to the right edge. */
  | { readonly kind: 'ridge'; readonly heights: readonly number[]; readonly paint: Paint }
  /** One line of text; a letter's dots are `scale` wide. */
  | {
      readonly kind: 'text';
      readonly x: number;
      readonly y: number;
      readonly scale: number;
      readonly text: string;
      readonly color: Color;
    };

export interface Scene {
  readonly width: number;
  readonly height: number;
  /** In painting order: later shapes cover earlier ones. */
  readonly shapes: readonly Shape[];
}

export function plain(color: Color, alpha = 1): Paint {
  return { top: color, bottom: color, alpha };
}

export function gradient(top: Color, bottom: Color, alpha = 1): Paint {
  return { top, bottom, alpha };
}

/** The color `share` (0 to 1) of the way from `from` to `to`. */
export function mix(from: Color, to: Color, share: number): Color {
  const at = Math.min(1, Math.max(0, share));
  const channel = (shift: number) => {
    const start = (from >> shift) & 255;
    return Math.round(start + (((to >> shift) & 255) - start) * at) << shift;
  };
  return channel(16) | channel(8) | channel(0);
}
