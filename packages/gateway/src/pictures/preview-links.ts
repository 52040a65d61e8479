import { createHmac, timingSafeEqual } from 'node:crypto';
import { openSecret } from '../store/secret-cell.ts';
import type { Store } from '../store/store.ts';
import { type Preview, previewQuery } from './preview.ts';

/** Makes and checks the signatures that let anybody who has a link fetch the preview it names. */
export interface PreviewLinks {
  /** `name` is `{sha256}.{ext}`; returns it with its query and signature. */
  sign(name: string, preview: Preview): string;
  isSigned(name: string, preview: Preview, signature: string): boolean;
}

/** Of SHA-256: nobody finds 128 bits by trying. */
const SIGNATURE_BYTES = 16;
const CELL = 'preview-secret';

/** HMAC-SHA-256 over name and query. Links do not expire: they show no more than the link to the whole picture. */
export function createPreviewLinks(secret: Uint8Array): PreviewLinks {
  const digest = (name: string, preview: Preview) =>
    createHmac('sha256', secret)
      .update(`${name}?${previewQuery(preview)}`)
      .digest()
      .subarray(0, SIGNATURE_BYTES);
  return {
    sign: (name, preview) => `${name}?${previewQuery(preview)}&sig=${digest(name, preview).toString('base64url')}`,
    isSigned(name, preview, signature) {
      const given = Buffer.from(signature, 'base64url');
      return given.length === SIGNATURE_BYTES && timingSafeEqual(given, digest(name, preview));
    },
  };
}

/** The secret that links are signed with: made once and kept in the store, where every node finds the same. */
export function openPreviewSecret(cells: Pick<Store, 'readCell' | 'swapCell'>): Promise<Buffer> {
  return openSecret(cells, CELL);
}
