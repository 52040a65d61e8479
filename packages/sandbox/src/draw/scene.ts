import { LETTER, wrap } from './font.ts';
import { choosePalette, chosenBy, wordsOf } from './palettes.ts';
import { randomFrom } from './random.ts';
import { gradient, plain, type Scene, type Shape } from './shapes.ts';
import { SUBJECTS } from './subjects.ts';

/** Everything a picture depends on: two equal briefs give equal bytes. */
export interface Brief {
  readonly prompt: string;
  readonly seed: number;
  readonly model: string;
  readonly width: number;
  readonly height: number;
  readonly transparent: boolean;
  /** Lower-case hex SHA-256 of an edit's first reference. */
  readonly reference?: string;
}

const MAX_PROMPT_LINES = 5;
/** Below this a letter would be a smudge. */
const MIN_CAPTION_SIDE = 128;
const WHITE = 0xffffff;

/** A scene for the prompt (its words choose subject and colors where they can), with the prompt written beneath. */
export function composeScene(brief: Brief): Scene {
  const { width, height } = brief;
  const random = randomFrom(JSON.stringify([brief.prompt, brief.seed, brief.reference ?? null]));
  const words = wordsOf(brief.prompt);
  const palette = choosePalette(words, random);
  const { backdrop, shapes } = chosenBy(words, SUBJECTS, random).paint({ width, height, palette, random });
  return { width, height, shapes: [...(brief.transparent ? [] : backdrop), ...shapes, ...caption(brief)] };
}

/** A museum label: the prompt, and below it model, seed and size in smaller letters. */
function caption(brief: Brief): Shape[] {
  const { width, height } = brief;
  if (Math.min(width, height) < MIN_CAPTION_SIDE) return [];
  const scale = Math.max(1, Math.round(Math.min(width, height) / 290));
  const small = Math.max(1, scale - 1);
  const margin = scale * 10;
  const columns = Math.floor((width - 4 * margin) / (LETTER.advance * scale));
  const lines = wrap(brief.prompt, columns, MAX_PROMPT_LINES);
  const edited = brief.reference === undefined ? '' : `  edit of ${brief.reference.slice(0, 8)}`;
  const facts = `${brief.model}  seed ${brief.seed}  ${width}x${height}${edited}`;
  const [fact = ''] = wrap(facts, Math.floor((width - 4 * margin) / (LETTER.advance * small)), 1);
  const inner = (lines.length * scale + small) * LETTER.lineHeight;
  const label = {
    x: margin,
    y: height - inner - 2.6 * margin,
    width: width - 2 * margin,
    height: inner + 1.6 * margin,
  };
  const [x, y] = [label.x + margin, Math.round(label.y + 0.9 * margin)];
  return [
    { kind: 'box', ...label, paint: gradient(0x0b0d17, 0x05060c, 0.8) },
    { kind: 'box', x: label.x, y: label.y, width: scale * 2, height: label.height, paint: plain(WHITE, 0.9) },
    ...lines.map(
      (text, line): Shape => ({ kind: 'text', x, y: y + line * scale * LETTER.lineHeight, scale, text, color: WHITE }),
    ),
    { kind: 'text', x, y: y + lines.length * scale * LETTER.lineHeight, scale: small, text: fact, color: 0xaab3c5 },
  ];
}
