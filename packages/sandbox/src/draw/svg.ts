import { LETTER } from './font.ts';
import type { Color, Paint, Scene, Shape } from './shapes.ts';

/** The scene as an SVG document; its text is text. */
export function encodeSvg({ width, height, shapes }: Scene): Buffer {
  const body = shapes.map((shape, index) => element(shape, `s${index}`, width, height)).join('\n');
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`;
  return Buffer.from(`${open}\n${body}\n</svg>\n`);
}

function element(shape: Shape, id: string, width: number, height: number): string {
  switch (shape.kind) {
    case 'box':
      return `${filled(shape.paint, id)}<rect ${box(shape)} ${fill(shape.paint, id)}/>`;
    case 'disc': {
      const clip = shape.clip ? `<clipPath id="${id}c"><rect ${box(shape.clip)}/></clipPath>` : '';
      const clipped = shape.clip ? ` clip-path="url(#${id}c)"` : '';
      const circle = `cx="${short(shape.x)}" cy="${short(shape.y)}" r="${short(shape.radius)}"`;
      return `${filled(shape.paint, id)}${clip}<circle ${circle} ${fill(shape.paint, id)}${clipped}/>`;
    }
    case 'glow': {
      const circle = `cx="${short(shape.x)}" cy="${short(shape.y)}" r="${short(shape.radius)}"`;
      return `${radialGradient(shape.color, shape.alpha, id)}<circle ${circle} fill="url(#${id})"/>`;
    }
    case 'ridge': {
      const step = width / (shape.heights.length - 1);
      const line = shape.heights.map((y, index) => `${short(index * step)},${short(y)}`).join(' ');
      return `${filled(shape.paint, id)}<polygon points="0,${height} ${line} ${width},${height}" ${fill(shape.paint, id)}/>`;
    }
    case 'text':
      return textElement(shape);
  }
}

function textElement({ x, y, scale, text, color }: Extract<Shape, { kind: 'text' }>): string {
  const place = `x="${short(x)}" y="${short(y + 7 * scale)}" textLength="${[...text].length * LETTER.advance * scale}"`;
  const font = `font-family="ui-monospace, monospace" font-size="${10 * scale}" xml:space="preserve"`;
  return `<text ${place} ${font} fill="${hex(color)}">${escaped(text)}</text>`;
}

function box({ x, y, width, height }: { x: number; y: number; width: number; height: number }): string {
  return `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"`;
}

function filled({ top, bottom }: Paint, id: string): string {
  if (top === bottom) return '';
  const stops = `<stop offset="0" stop-color="${hex(top)}"/><stop offset="1" stop-color="${hex(bottom)}"/>`;
  return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stops}</linearGradient>`;
}

function fill({ top, bottom, alpha }: Paint, id: string): string {
  const opacity = alpha < 1 ? ` fill-opacity="${short(alpha)}"` : '';
  return `fill="${top === bottom ? hex(top) : `url(#${id})`}"${opacity}`;
}

function radialGradient(color: Color, alpha: number, id: string): string {
  const stops = [0, 0.25, 0.5, 0.75, 1].map(
    (offset) =>
      `<stop offset="${offset}" stop-color="${hex(color)}" stop-opacity="${short(alpha * (1 - offset) ** 2)}"/>`,
  );
  return `<radialGradient id="${id}">${stops.join('')}</radialGradient>`;
}

function hex(color: Color): string {
  return `#${color.toString(16).padStart(6, '0')}`;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

// XML 1.0 allows no control characters, not even escaped ones.
function escaped(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return text
    .toWellFormed()
    .replace(/\p{Cc}|[\ufffe\uffff]/gu, '?')
    .replace(/[&<>]/gu, (one) => named[one] ?? one);
}
