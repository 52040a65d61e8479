import { createHash } from 'node:crypto';
import type { Asset, AssetStore, AssetWriter } from './asset.ts';
import { decodeBase64 } from './base64.ts';
import type { BlobTarget } from './scan.ts';
import { createVerifier, type Verdict } from './verify.ts';

export interface IntakeOptions {
  /** Blobs kept of one answer; further ones are passed over. Default 32. */
  readonly maxBlobs?: number;
  /** Default 64 MiB. */
  readonly maxBlobBytes?: number;
}

type Unusable = Extract<Verdict, { ok: false }>;
type Problem = Unusable['problem'];

/** A stored picture, or what is wrong with the bytes. */
export type Settled = { readonly ok: true; readonly asset: Asset } | Unusable;

/** Takes the pictures of one answer in: stores, hashes and verifies their bytes as they pass. */
export interface Intake {
  /** For a base64 string in the answer, or for a body that is the picture itself. Indices count from 0. */
  openBlob(): BlobTarget;
  /** Commits the blob under its hash if it is a whole picture, and discards it otherwise; asking again answers the same. */
  settle(blob: number): Promise<Settled>;
  /** Settles a picture that is too short to be taken out of its JSON. */
  take(base64: string): Promise<Settled>;
  /** Ends every blob that was not settled. Never rejects: what the store cannot remove is no reason to lose a verdict. */
  discardAll(): Promise<void>;
}

const DEFAULT_MAX_BLOBS = 32;
const DEFAULT_MAX_BLOB_BYTES = 64 * 1024 * 1024;

export function createIntake(assets: AssetStore, options: IntakeOptions = {}): Intake {
  const { maxBlobs = DEFAULT_MAX_BLOBS, maxBlobBytes = DEFAULT_MAX_BLOB_BYTES } = options;
  const blobs: IncomingBlob[] = [];

  const open = (): IncomingBlob | undefined => {
    if (blobs.length === maxBlobs) return undefined;
    const blob = new IncomingBlob(assets.create(), maxBlobBytes);
    blobs.push(blob);
    return blob;
  };
  const tooMany = unusable('too_large', `the answer holds more than the ${maxBlobs} pictures allowed`);

  return {
    openBlob() {
      const blob = open();
      const index = blob === undefined ? maxBlobs : blobs.length - 1;
      return {
        write: (bytes) => blob?.write(bytes),
        end() {
          blob?.end();
          return index;
        },
      };
    },
    async settle(index) {
      if (index === maxBlobs) return tooMany;
      const blob = blobs[index];
      return blob?.settle() ?? unusable('empty', `the answer refers to picture ${index} and holds ${blobs.length}`);
    },
    async take(base64) {
      const bytes = decodeBase64(base64);
      if (bytes === undefined) return unusable('not_an_image', 'what should be base64 is not');
      const blob = open();
      if (blob === undefined) return tooMany;
      await blob.write(bytes);
      blob.end();
      return blob.settle();
    },
    async discardAll() {
      await Promise.allSettled(blobs.map((blob) => blob.discard()));
    },
  };
}

/** The bytes of one supposed picture on their way into the store. */
class IncomingBlob {
  readonly #writer: AssetWriter;
  readonly #maxBytes: number;
  readonly #hash = createHash('sha256');
  readonly #verifier = createVerifier();
  #bytes = 0;
  #ended = false;
  #settled: Promise<Settled> | undefined;

  constructor(writer: AssetWriter, maxBytes: number) {
    this.#writer = writer;
    this.#maxBytes = maxBytes;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.#settled !== undefined) return;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) {
      return this.#refuse('too_large', `the picture is larger than the ${this.#maxBytes} bytes allowed`);
    }
    this.#hash.update(bytes);
    this.#verifier.write(bytes);
    return this.#writer.write(bytes);
  }

  end(): void {
    this.#ended = true;
  }

  settle(): Promise<Settled> {
    this.#settled ??= this.#conclude();
    return this.#settled;
  }

  /** Without effect once the blob is settled. */
  async discard(): Promise<void> {
    if (this.#settled === undefined) await this.#refuse('truncated', 'the picture was given up');
  }

  async #refuse(problem: Problem, detail: string): Promise<void> {
    this.#settled = this.#writer.discard().then(() => unusable(problem, detail));
    await this.#settled;
  }

  async #conclude(): Promise<Settled> {
    const verdict = this.#ended ? this.#verifier.end() : unusable('truncated', 'the answer ends inside the picture');
    if (!verdict.ok) {
      await this.#writer.discard();
      return verdict;
    }
    const { ok: _, ...picture } = verdict;
    const asset: Asset = { hash: this.#hash.digest('hex'), bytes: this.#bytes, ...picture };
    await this.#writer.commit(asset);
    return { ok: true, asset };
  }
}

function unusable(problem: Problem, detail: string): Unusable {
  return { ok: false, problem, detail };
}
