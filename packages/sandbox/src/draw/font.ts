/** Dots across and down one letter, and from one letter or line to the next. */
export const LETTER = { width: 5, height: 8, advance: 6, lineHeight: 11 } as const;

// ASCII 32 to 126, five bytes a letter: one byte is one column of dots from left to right, its lowest bit on top.
const COLUMNS = Buffer.from(
  '000000000000005f00000007000700147f147f14242a7f2a12231308646236495620500008070300' +
    '001c2241000041221c002a1c7f1c2a08083e08080080703000080808080800006060002010080402' +
    '3e5149453e00427f400072494949462141494d331814127f1027454545393c4a4949314121110907' +
    '3649494936464949291e003636000000807636000814224100141414141400412214080201590906' +
    '3e415d594e7c1211127c7f494949363e414141227f4141413e7f494949417f090909013e41415173' +
    '7f0808087f00417f41002040413f017f081422417f404040407f021c027f7f0408107f3e4141413e' +
    '7f090909063e4151215e7f09192946264949493203017f01033f4040403f1f2040201f3f4038403f' +
    '631408146303047804036159494d43007f41410002040810200041417f0004020102044040404040' +
    '000307080020545478407f284444383844444428384444287f385454541800087e090218a4a49c78' +
    '7f0804047800447d40002040403d007f1028440000417f40007c047804787c080404783844444438' +
    'fc1824241818242418fc7c08040408485454542404043f44243c4040207c1c2040201c3c4030403c' +
    '44281028444c9090907c4464544c440008364100000077000000413608000201020402',
  'hex',
);

const UNKNOWN = Buffer.from([0x7f, 0x41, 0x41, 0x41, 0x7f]);

/** The five columns of a character; what is not printable ASCII is a box. */
export function letterColumns(character: string): Uint8Array {
  const index = (character.codePointAt(0) ?? 0) - 32;
  if (index < 0 || index > 94) return UNKNOWN;
  return COLUMNS.subarray(index * LETTER.width, (index + 1) * LETTER.width);
}

/**
 * Breaks `text` at spaces into at most `maxLines` lines of `columns` characters; what does not fit ends in "...".
 * A word longer than a line is cut.
 */
export function wrap(text: string, columns: number, maxLines: number): string[] {
  const lines: string[] = [];
  let rest = [...text.slice(0, (columns + 1) * (maxLines + 1) * 2)].map((one) => (/\s/u.test(one) ? ' ' : one));
  while (rest.length > columns && lines.length < maxLines) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > 0 ? space : columns;
    lines.push(rest.slice(0, end).join('').trim());
    rest = rest.slice(space > 0 ? end + 1 : end);
  }
  if (lines.length < maxLines) return [...lines, rest.join('').trim()].filter((line) => line !== '');
  const last = lines.at(-1) ?? '';
  return rest.length === 0 ? lines : [...lines.slice(0, -1), `${last.slice(0, Math.max(0, columns - 3))}...`];
}
