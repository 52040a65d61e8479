import { type EmbeddedPicture, embeddedPicture } from '../http.ts';
import { IMAGE_TYPES } from '../images/asset.ts';
import type { SendOptions } from '../io.ts';
import { isObject, type JsonValue } from '../json.ts';
import { messageOf } from '../message-of.ts';
import { BodyReadError } from './fault.ts';

/** A JSON body whose length is known before any of its pictures is read. */
export interface JsonBody {
  readonly contentLength: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * The bytes of `JSON.stringify` with every picture as a string of base64, or as a data URL, in the place where
 * `embedded` left it. Pictures are read by `readAsset` while the body is sent, a slice at a time; one that cannot be
 * read, or has another length than its asset says, ends the body with a BodyReadError. A body without pictures is
 * given whole.
 */
export function jsonBody(value: JsonValue, readAsset: SendOptions['readAsset']): Uint8Array | JsonBody {
  const pieces = piecesOf(value);
  const [only] = pieces;
  if (pieces.length === 1 && only instanceof Uint8Array) return only;

  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) {
      if (piece instanceof Uint8Array) yield piece;
      else yield* base64Of(piece, readAsset);
    }
  }

  const lengths = pieces.map((piece) => (piece instanceof Uint8Array ? piece.length : base64Length(piece.asset.bytes)));
  return { contentLength: lengths.reduce((sum, bytes) => sum + bytes, 0), chunks: chunks() };
}

type Piece = Uint8Array | EmbeddedPicture;

/** Text and pictures in their order; two texts are never neighbours. */
function piecesOf(value: JsonValue): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  const endText = () => {
    pieces.push(Buffer.from(text));
    text = '';
  };
  const writeAll = <Item>(items: readonly Item[], brackets: string, write: (item: Item) => void) => {
    text += brackets.charAt(0);
    for (const [index, item] of items.entries()) {
      if (index > 0) text += ',';
      write(item);
    }
    text += brackets.charAt(1);
  };
  const write = (one: JsonValue | undefined): void => {
    const picture = embeddedPicture(one);
    if (picture) {
      text += picture.as === 'data-url' ? `"data:${IMAGE_TYPES[picture.asset.type].mime};base64,` : '"';
      endText();
      pieces.push(picture);
      text = '"';
    } else if (Array.isArray(one)) {
      writeAll<JsonValue>(one, '[]', write);
    } else if (isObject(one)) {
      const entries = Object.entries(one).filter(([, field]) => field !== undefined);
      writeAll(entries, '{}', ([key, field]) => {
        text += `${JSON.stringify(key)}:`;
        write(field);
      });
    } else {
      text += JSON.stringify(one) ?? 'null';
    }
  };
  write(value);
  endText();
  return pieces;
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** A multiple of three, so that the base64 of the slices joins without padding in between. */
const SLICE_BYTES = 48 * 1024;

async function* base64Of({ asset }: EmbeddedPicture, readAsset: SendOptions['readAsset']): AsyncGenerator<Uint8Array> {
  let carried: Uint8Array = new Uint8Array(0);
  let received = 0;
  try {
    for await (const chunk of readAsset(asset)) {
      received += chunk.length;
      if (received > asset.bytes) break;
      for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
        const slice = Buffer.concat([carried, chunk.subarray(at, at + SLICE_BYTES)]);
        const whole = slice.length - (slice.length % 3);
        yield Buffer.from(slice.toString('base64', 0, whole), 'latin1');
        carried = slice.subarray(whole);
      }
    }
  } catch (cause) {
    throw new BodyReadError(`A picture of the body could not be read: ${messageOf(cause)}`, { cause });
  }
  if (received !== asset.bytes) {
    const rule = `${asset.bytes} bytes were announced`;
    throw new BodyReadError(`A picture of the body has another length than it had: ${rule}, ${received} came`);
  }
  yield Buffer.from(Buffer.from(carried).toString('base64'), 'latin1');
}
