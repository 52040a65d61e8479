import { crc32, deflateSync } from 'node:zlib';

/** OpenAI answers with one PNG each, ready to send; no two pictures are equal, so none is found in a store already. */
export interface CannedAnswers {
  readonly bytes: number;
  /** The head differs from answer to answer, the rest is shared. */
  next(): { readonly head: string; readonly rest: Buffer };
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GREY_8_BIT = [8, 0, 0, 0, 0];
const BEFORE = '{"created":1,"data":[{"b64_json":"';
const AFTER = '"}],"usage":{"input_tokens":8,"output_tokens":196,"total_tokens":204}}';

/** Pictures of about `pictureBytes` of noise, which nothing compresses. */
export function cannedAnswers(pictureBytes: number): CannedAnswers {
  const width = pictureBytes < 100_000 ? 20 : 1024;
  const height = Math.max(1, Math.floor((pictureBytes - 120) / (width + 1)));
  const header = Buffer.alloc(8);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const start = Buffer.concat([SIGNATURE, chunk('IHDR', Buffer.concat([header, Buffer.from(GREY_8_BIT)]))]);
  const pixels = deflateSync(noise(width, height), { level: 0 });
  const rest = base64(Buffer.concat([chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])) + AFTER;
  const shared = Buffer.from(rest, 'latin1');
  let made = 0;
  const next = () => {
    made += 1;
    // Twelve bytes of text keep the head a multiple of three, so that its base64 stands alone.
    const mark = chunk('tEXt', Buffer.from(`n\0${String(made).padStart(10, '0')}`, 'latin1'));
    return { head: BEFORE + base64(Buffer.concat([start, mark])), rest: shared };
  };
  return { bytes: next().head.length + shared.length, next };
}

/** Rows of a filter byte and grey noise, the same in every process. */
function noise(width: number, height: number): Buffer {
  const rows = Buffer.alloc(height * (width + 1));
  let state = 1;
  for (let index = 0; index < rows.length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    rows[index] = index % (width + 1) === 0 ? 0 : state >>> 24;
  }
  return rows;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64');
}
