import type { Asset, AssetStore, ImageRequest } from '@onetake/core';
import type { FastifyRequest } from 'fastify';
import type { FetchImage } from '../assets/download.ts';
import { checkMask, REFERENCE_LIMITS } from '../assets/reference-image.ts';
import { stageAssets } from '../assets/staging.ts';
import type { Controls } from './controls.ts';
import { noImage, takeReferences } from './edit-references.ts';
import { type ImageWire, objectBody, readFormFields, readImageWire } from './image-wire.ts';
import { readUpload } from './uploads.ts';

export interface EditOptions {
  readonly assets: AssetStore;
  readonly fetchImage: FetchImage;
  readonly bodyLimitBytes: number;
  /** Throws a 4xx for wrong controls; called before anything is fetched or kept. */
  readonly controlsOf: (wire: ImageWire) => Controls;
}

/** An edit as it was understood; its pictures are stored. */
export interface Edit extends ImageWire {
  readonly request: ImageRequest & { readonly images: readonly Asset[] };
  /** Digests of the files with their role, for the fingerprint. */
  readonly fileHashes: readonly string[];
  readonly controls: Controls;
}

/**
 * Reads `POST /v1/images/edits`, a form with files or JSON with links. Pictures are kept only when the whole request
 * is sound; a 4xx leaves nothing in the store.
 */
export async function readEdit(request: FastifyRequest, options: EditOptions): Promise<Edit> {
  const staging = stageAssets(options.assets);
  try {
    const staged = { ...options, assets: staging.assets };
    const { wire, controls, images, mask } = await (request.isMultipart()
      ? readForm(request, staged)
      : readJson(request, staged));
    const [first] = images;
    if (first === undefined) throw noImage('add a file part named "image"');
    if (mask) checkMask(mask, first);
    await staging.keep();
    return {
      ...wire,
      controls,
      request: { ...wire.request, images, ...(mask && { mask }) },
      fileHashes: [...images.map(({ hash }) => `image ${hash}`), ...(mask ? [`mask ${mask.hash}`] : [])],
    };
  } catch (error) {
    await staging.discard();
    throw error;
  }
}

interface Understood {
  readonly wire: ImageWire;
  readonly controls: Controls;
  readonly images: readonly Asset[];
  readonly mask: Asset | undefined;
}

async function readForm(request: FastifyRequest, options: EditOptions): Promise<Understood> {
  const { fields, images, mask } = await readUpload(request, options);
  const wire = readImageWire('edit', readFormFields(fields));
  return { wire, controls: options.controlsOf(wire), images, mask };
}

/** The fields come first: nothing is fetched for a request that is wrong anyway. One download at a time is a bound. */
async function readJson(request: FastifyRequest, { assets, fetchImage, controlsOf }: EditOptions): Promise<Understood> {
  const references = takeReferences(objectBody(request.body));
  const wire = readImageWire('edit', references.rest);
  const controls = controlsOf(wire);
  const gone = new AbortController();
  const leave = () => gone.abort();
  request.socket.once('close', leave);
  try {
    const fetchAll = { assets, cancel: gone.signal };
    const images: Asset[] = [];
    for (const { url, param } of references.images) images.push(await fetchImage(url, { ...fetchAll, param }));
    const maxBytes = REFERENCE_LIMITS.maxMaskBytes;
    const mask =
      references.mask &&
      (await fetchImage(references.mask.url, { ...fetchAll, param: references.mask.param, maxBytes }));
    return { wire, controls, images, mask };
  } finally {
    request.socket.off('close', leave);
  }
}
