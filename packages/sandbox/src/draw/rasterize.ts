import { blend, type Canvas, createCanvas, paintSpan } from './canvas.ts';
import { LETTER, letterColumns } from './font.ts';
import { mix, type Scene, type Shape } from './shapes.ts';
import type { Steps } from './slices.ts';

const ROWS_PER_STEP = 16;

/** One shape made ready for one canvas: paints any of its rows, `from` (included) to `to` (excluded). */
interface RowPainter {
  readonly from: number;
  readonly to: number;
  paint(y: number): void;
}

type Of<Kind extends Shape['kind']> = Extract<Shape, { kind: Kind }>;

/** Paints a scene at another width; its height follows, at least one row. Pixels that no shape covers stay transparent. */
export function* rasterize(scene: Scene, width: number): Steps<Canvas> {
  const scale = width / scene.width;
  const canvas = createCanvas(width, Math.max(1, Math.round(scene.height * scale)));
  const painters = scene.shapes.map((shape) => painterOf(shape, canvas, scale));
  for (let y = 0; y < canvas.height; y++) {
    for (const painter of painters) if (y >= painter.from && y < painter.to) painter.paint(y);
    if (y % ROWS_PER_STEP === 0) yield;
  }
  return canvas;
}

function painterOf(shape: Shape, canvas: Canvas, scale: number): RowPainter {
  switch (shape.kind) {
    case 'box':
      return boxPainter(shape, canvas, scale);
    case 'disc':
      return discPainter(shape, canvas, scale);
    case 'glow':
      return glowPainter(shape, canvas, scale);
    case 'ridge':
      return ridgePainter(shape, canvas, scale);
    case 'text':
      return textPainter(shape, canvas, scale);
  }
}

/** How much of row `y` lies between `top` and `bottom`, 0 to 1. */
function rowCoverage(y: number, top: number, bottom: number): number {
  return Math.max(0, Math.min(y + 1, bottom) - Math.max(y, top));
}

function boxPainter({ x, y: top, width, height, paint }: Of<'box'>, canvas: Canvas, scale: number): RowPainter {
  const from = top * scale;
  const to = (top + height) * scale;
  return {
    from: Math.floor(from),
    to: Math.ceil(to),
    paint(y) {
      const color = mix(paint.top, paint.bottom, (y - from) / (to - from));
      paintSpan(canvas, y, x * scale, (x + width) * scale, color, paint.alpha * rowCoverage(y, from, to));
    },
  };
}

function discPainter(shape: Of<'disc'>, canvas: Canvas, scale: number): RowPainter {
  const { paint, clip = { x: 0, y: 0, width: Infinity, height: Infinity } } = shape;
  const [x, centre, radius] = [shape.x * scale - 0.5, shape.y * scale - 0.5, shape.radius * scale];
  // Clips meet their neighbours on whole pixels, so that no seam shows between them.
  const left = Math.max(0, Math.round(clip.x * scale));
  const right = Math.min(canvas.width, Math.round((clip.x + clip.width) * scale));
  return {
    from: Math.max(Math.floor(centre - radius), Math.round(clip.y * scale)),
    to: Math.min(Math.ceil(centre + radius) + 1, Math.round((clip.y + clip.height) * scale)),
    paint(y) {
      const color = mix(paint.top, paint.bottom, (y - centre + radius) / (2 * radius));
      const dy = y - centre;
      const reach = Math.sqrt(Math.max(0, (radius + 0.5) ** 2 - dy * dy));
      const solid = Math.sqrt(Math.max(0, (radius - 0.5) ** 2 - dy * dy));
      const [start, end] = [Math.max(left, Math.floor(x - reach)), Math.min(right, Math.ceil(x + reach) + 1)];
      const [solidStart, solidEnd] = [Math.max(start, Math.ceil(x - solid)), Math.min(end, Math.floor(x + solid))];
      const edge = (column: number) => {
        const coverage = radius + 0.5 - Math.hypot(column - x, dy);
        if (coverage > 0) blend(canvas, y * canvas.width + column, color, paint.alpha * Math.min(1, coverage));
      };
      if (solid === 0 || solidEnd <= solidStart) {
        for (let column = start; column < end; column++) edge(column);
        return;
      }
      for (let column = start; column < solidStart; column++) edge(column);
      paintSpan(canvas, y, solidStart, solidEnd, color, paint.alpha);
      for (let column = solidEnd; column < end; column++) edge(column);
    },
  };
}

function glowPainter(shape: Of<'glow'>, canvas: Canvas, scale: number): RowPainter {
  const [x, centre, radius] = [shape.x * scale, shape.y * scale, shape.radius * scale];
  return {
    from: Math.floor(centre - radius),
    to: Math.ceil(centre + radius),
    paint(y) {
      const dy = y + 0.5 - centre;
      const reach = Math.sqrt(Math.max(0, radius * radius - dy * dy));
      const end = Math.min(canvas.width, Math.ceil(x + reach));
      for (let column = Math.max(0, Math.floor(x - reach)); column < end; column++) {
        const dx = column + 0.5 - x;
        const fade = 1 - Math.sqrt(dx * dx + dy * dy) / radius;
        if (fade > 0) blend(canvas, y * canvas.width + column, shape.color, shape.alpha * fade * fade);
      }
    },
  };
}

function ridgePainter({ heights, paint }: Of<'ridge'>, canvas: Canvas, scale: number): RowPainter {
  const tops = Float64Array.from({ length: canvas.width }, (_, column) => {
    const at = ((column + 0.5) / canvas.width) * (heights.length - 1);
    const before = heights[Math.floor(at)] ?? 0;
    return scale * (before + ((heights[Math.floor(at) + 1] ?? before) - before) * (at % 1));
  });
  const highest = tops.reduce((least, top) => Math.min(least, top), canvas.height);
  const lowest = tops.reduce((most, top) => Math.max(most, top), 0);
  const rows = Math.max(1, canvas.height - highest);
  return {
    from: Math.floor(highest),
    to: canvas.height,
    paint(y) {
      const color = mix(paint.top, paint.bottom, (y - highest) / rows);
      if (y >= lowest) return paintSpan(canvas, y, 0, canvas.width, color, paint.alpha);
      for (let column = 0; column < tops.length; column++) {
        const start = column;
        while (column < tops.length && y >= (tops[column] ?? 0)) column++;
        if (column > start) paintSpan(canvas, y, start, column, color, paint.alpha);
        const coverage = y + 1 - (tops[column] ?? Infinity);
        if (coverage > 0) blend(canvas, y * canvas.width + column, color, paint.alpha * coverage);
      }
    },
  };
}

function textPainter({ x, y: top, scale: dot, text, color }: Of<'text'>, canvas: Canvas, scale: number): RowPainter {
  const size = dot * scale;
  const letters = [...text].map(letterColumns);
  return {
    from: Math.floor(top * scale),
    to: Math.ceil(top * scale + LETTER.height * size),
    paint(y) {
      for (let line = 0; line < LETTER.height; line++) {
        const coverage = rowCoverage(y, top * scale + line * size, top * scale + (line + 1) * size);
        if (coverage <= 0) continue;
        letters.forEach((columns, place) => {
          columns.forEach((column, across) => {
            if (((column >> line) & 1) === 0) return;
            const left = x * scale + (place * LETTER.advance + across) * size;
            paintSpan(canvas, y, left, left + size, color, coverage);
          });
        });
      }
    },
  };
}
