import type { Palette } from './palettes.ts';
import { between, pick, type Random, wholeBetween } from './random.ts';
import { type Box, gradient, mix, plain, type Shape } from './shapes.ts';

export interface Stage {
  readonly width: number;
  readonly height: number;
  readonly palette: Palette;
  readonly random: Random;
}

export interface Subject {
  /** A prompt with one of these words gets this subject. */
  readonly words: string;
  /** `backdrop` is left out when a transparent background was asked for. */
  readonly paint: (stage: Stage) => { backdrop: Shape[]; shapes: Shape[] };
}

export const SUBJECTS: readonly [Subject, ...Subject[]] = [
  { words: 'mountain hill landscape forest tree fox valley sunset sunrise snow desert', paint: mountains },
  { words: 'space star moon galaxy planet night rocket astronaut sky', paint: planets },
  { words: 'sea ocean wave water lake river boat whale fish beach', paint: waves },
  { words: 'city street house building tower skyline robot neon', paint: skyline },
  { words: 'pattern logo icon mug product abstract poster tile cat dog flower', paint: tiles },
];

function sky({ width, height, palette }: Stage): Shape {
  return { kind: 'box', x: 0, y: 0, width, height, paint: gradient(palette.sky[0], palette.sky[1]) };
}

function stars({ width, height, random, palette }: Stage, count: number): Shape[] {
  const unit = Math.min(width, height) / 1024;
  return Array.from({ length: count }, () => ({
    kind: 'disc' as const,
    x: random() * width,
    y: random() ** 1.6 * height,
    radius: between(random, 0.7, 2.6) * unit,
    paint: plain(palette.light, between(random, 0.3, 0.95)),
  }));
}

/** A rolling line around `level`: four sine waves, each finer and flatter than the one before. */
function ridgeLine(random: Random, level: number, swing: number, waves: number): number[] {
  const parts = [1, 2.1, 4.3, 9.7].map((times, index) => ({
    turns: waves * times * between(random, 0.8, 1.2) * 2 * Math.PI,
    shift: random() * 2 * Math.PI,
    swing: swing * 0.55 ** index,
  }));
  return Array.from({ length: 257 }, (_, step) =>
    parts.reduce((y, part) => y + part.swing * Math.sin((step / 256) * part.turns + part.shift), level),
  );
}

function sun(stage: Stage, highest: number, lowest: number): Shape[] {
  const { width, height, palette, random } = stage;
  const short = Math.min(width, height);
  const x = between(random, 0.2, 0.8) * width;
  const y = between(random, highest, lowest) * height;
  const radius = between(random, 0.07, 0.12) * short;
  return [
    { kind: 'glow', x, y, radius: radius * 5, color: palette.light, alpha: 0.55 },
    { kind: 'disc', x, y, radius, paint: gradient(palette.light, mix(palette.light, palette.sky[1], 0.25)) },
  ];
}

function mountains(stage: Stage): { backdrop: Shape[]; shapes: Shape[] } {
  const { height, palette, random } = stage;
  const count = wholeBetween(random, 5, 7);
  const ridges = Array.from({ length: count }, (_, index): Shape => {
    const depth = index / (count - 1);
    const color = mix(palette.far, palette.near, depth);
    const heights = ridgeLine(
      random,
      (0.46 + 0.4 * depth) * height,
      (0.075 - 0.03 * depth) * height,
      0.8 + 0.5 * depth,
    );
    return { kind: 'ridge', heights, paint: gradient(color, mix(color, palette.sky[1], 0.55 * (1 - depth))) };
  });
  return { backdrop: [sky(stage), ...stars(stage, 40), ...sun(stage, 0.2, 0.42)], shapes: ridges };
}

function waves(stage: Stage): { backdrop: Shape[]; shapes: Shape[] } {
  const { height, palette, random } = stage;
  const count = wholeBetween(random, 11, 16);
  const rows = Array.from({ length: count }, (_, index): Shape[] => {
    const depth = index / (count - 1);
    const level = (0.4 + 0.58 * depth ** 1.25) * height;
    const heights = ridgeLine(random, level, (0.006 + 0.02 * depth) * height, 2.6 - 1.6 * depth);
    const color = mix(palette.far, palette.near, depth);
    const crest = mix(palette.light, color, 0.35 + 0.45 * depth);
    const foam = heights.map((y) => y - (0.002 + 0.005 * depth) * height);
    return [
      { kind: 'ridge', heights: foam, paint: plain(crest) },
      { kind: 'ridge', heights, paint: gradient(mix(color, palette.accents[0], 0.35), color) },
    ];
  });
  return { backdrop: [sky(stage), ...sun(stage, 0.16, 0.38)], shapes: rows.flat() };
}

function planets(stage: Stage): { backdrop: Shape[]; shapes: Shape[] } {
  const { width, height, palette, random } = stage;
  const short = Math.min(width, height);
  const deep = mix(palette.near, palette.sky[0], 0.5);
  const [x, y] = [between(random, 0.3, 0.7) * width, between(random, 0.34, 0.5) * height];
  const radius = between(random, 0.2, 0.28) * short;
  const orbits = Array.from({ length: wholeBetween(random, 2, 4) }, (_, index): Shape[] => {
    const turn = random() * 2 * Math.PI;
    const away = radius * (1.35 + 0.42 * index);
    const size = radius * between(random, 0.07, 0.2);
    const color = pick(random, palette.accents);
    return ball(x + Math.cos(turn) * away, y + Math.sin(turn) * away, size, color, deep);
  });
  return {
    backdrop: [
      { kind: 'box', x: 0, y: 0, width, height, paint: gradient(deep, mix(palette.sky[0], palette.near, 0.2)) },
      {
        kind: 'glow',
        x: width - x,
        y: height * 0.9,
        radius: short * 0.9,
        color: pick(random, palette.accents),
        alpha: 0.35,
      },
      ...stars(stage, 170),
    ],
    shapes: [
      { kind: 'glow', x, y, radius: radius * 1.9, color: palette.accents[0], alpha: 0.6 },
      ...ball(x, y, radius, palette.accents[0], deep),
      ...orbits.flat(),
    ],
  };
}

/** A lit ball: light from the upper left, in steps as in a screen print. */
function ball(x: number, y: number, radius: number, color: number, dark: number): Shape[] {
  return [0, 1, 2, 3].map((step) => ({
    kind: 'disc' as const,
    x: x - radius * 0.13 * step,
    y: y - radius * 0.13 * step,
    radius: radius * (1 - 0.19 * step),
    paint: gradient(mix(mix(dark, color, 0.55), color, step / 3), mix(dark, color, 0.4 + 0.18 * step)),
  }));
}

function skyline(stage: Stage): { backdrop: Shape[]; shapes: Shape[] } {
  const { width, height, palette, random } = stage;
  const shapes: Shape[] = [];
  for (let row = 0; row < 3; row++) {
    const depth = row / 2;
    const color = mix(palette.far, palette.near, 0.25 + 0.75 * depth);
    for (let x = -0.02 * width; x < width; ) {
      const wide = between(random, 0.05, 0.11) * width;
      const top = between(random, 0.3 + 0.17 * row, 0.52 + 0.13 * row) * height;
      const tower = { x, y: top, width: wide, height: height - top };
      shapes.push({ kind: 'box', ...tower, paint: gradient(color, mix(color, palette.near, 0.5)) });
      if (row > 0) shapes.push(...windows(stage, tower, depth));
      x += wide + (row === 2 ? between(random, 0, 0.05) * width : 0);
    }
  }
  return { backdrop: [sky(stage), ...stars(stage, 60), ...sun(stage, 0.18, 0.34)], shapes };
}

function windows({ width, palette, random }: Stage, tower: Box, depth: number): Shape[] {
  const step = width * 0.018;
  const columns = Math.max(1, Math.floor(tower.width / step) - 1);
  const margin = (tower.width - columns * step) / 2;
  const lit: Shape[] = [];
  for (let floor = 1; floor < tower.height / step - 1 && lit.length < 120; floor++) {
    for (let column = 0; column < columns; column++) {
      if (random() > 0.42) continue;
      const [x, y] = [tower.x + margin + (column + 0.25) * step, tower.y + floor * step];
      const paint = plain(random() < 0.8 ? palette.light : palette.accents[0], 0.35 + 0.5 * depth);
      lit.push({ kind: 'box', x, y, width: step * 0.5, height: step * 0.55, paint });
    }
  }
  return lit;
}

function tiles({ width, height, palette, random }: Stage): { backdrop: Shape[]; shapes: Shape[] } {
  const across = wholeBetween(random, 4, 6);
  // Whole pixels, so that no seam shows between neighbours.
  const side = Math.ceil(Math.max(width, height) / across);
  const backdrop: Shape[] = [];
  const shapes: Shape[] = [];
  for (let top = 0; top < height; top += side) {
    for (let left = 0; left < width; left += side) {
      const tile: Box = { x: left, y: top, width: side, height: side };
      const ground = pick(random, palette.accents);
      const others = palette.accents.filter((color) => color !== ground);
      const ink = others[wholeBetween(random, 0, others.length - 1)] ?? ground;
      const second = others.find((color) => color !== ink) ?? ground;
      backdrop.push({ kind: 'box', ...tile, paint: plain(ground) });
      const corner = { x: left + side * wholeBetween(random, 0, 1), y: top + side * wholeBetween(random, 0, 1) };
      const middle = { x: left + side / 2, y: top + side / 2 };
      const disc = (at: { x: number; y: number }, radius: number, color: number): Shape => {
        return { kind: 'disc', ...at, radius: radius * side, paint: plain(color), clip: tile };
      };
      const opposite = { x: 2 * middle.x - corner.x, y: 2 * middle.y - corner.y };
      const motif = pick(random, [
        [disc(corner, 1, ink), disc(corner, 0.5, second)],
        [disc(middle, 0.42, ink), disc(middle, 0.18, second)],
        [disc({ x: corner.x, y: middle.y }, 0.5, ink)],
        [disc(corner, 1, ink), disc(opposite, 0.4, second)],
      ]);
      shapes.push(...motif);
    }
  }
  return { backdrop, shapes };
}
