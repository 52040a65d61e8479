import { type Asset, type AssetStore, createIntake, createMemoryAssets } from '@onetake/core';
import type { DiskAssets } from '../assets/disk.ts';
import { type Converted, createConverter, type NotConverted, type TargetFormat } from './convert.ts';
import type { Decoder } from './decoder.ts';
import { formatOf, type Preview, previewKey } from './preview.ts';
import type { PreviewBytes, PreviewFiles } from './preview-files.ts';

export interface PreviewsOptions {
  readonly assets: Pick<DiskAssets, 'read' | 'size'>;
  readonly decoder: Decoder;
  readonly files: PreviewFiles;
  readonly onError: (error: unknown) => void;
}

export interface MadePreview extends PreviewBytes {
  readonly ok: true;
  readonly type: TargetFormat;
}

/** Smaller pictures and other formats, made when they are first asked for and kept on disk. */
export interface Previews {
  /** Never rejects for what a picture is; answers within the decoder's time limit. Undefined when the picture is not stored. */
  get(name: Pick<Asset, 'hash' | 'type'>, preview: Preview): Promise<MadePreview | NotConverted | undefined>;
}

/** Pictures made at the same time, with those that wait for the decoder. */
const MAX_MAKING = 100;
/** Pictures that cannot be shown are not decoded again and again. */
const MAX_REFUSED = 1_000;
/** As much as the decoder takes. */
const MAX_SOURCE_BYTES = 64 * 1024 * 1024;
const PASSING: ReadonlySet<NotConverted['problem']> = new Set(['busy', 'timeout', 'missing']);

export function createPreviews({ assets, decoder, files, onError }: PreviewsOptions): Previews {
  const making = new Map<string, Promise<MadePreview | NotConverted>>();
  const refused = new Map<string, NotConverted>();

  async function make(name: Pick<Asset, 'hash' | 'type'>, preview: Preview, id: string) {
    const made = await write(name, preview);
    if (!made.ok) {
      if (!PASSING.has(made.problem)) refused.set(id, made);
      for (const oldest of refused.keys()) if (refused.size > MAX_REFUSED) refused.delete(oldest);
      return made;
    }
    // What cannot be kept is shown all the same.
    await files.put({ hash: name.hash, key: previewKey(preview) }, made.written).catch(onError);
    return inMemory(made.written, formatOf(preview));
  }

  async function write(name: Pick<Asset, 'hash' | 'type'>, preview: Preview) {
    const source = await inspect(assets, name);
    if ('problem' in source) return source;
    const target = createMemoryAssets();
    const converted = await convert(source, preview, target);
    if (!converted.ok) return converted;
    return { ok: true, written: Buffer.concat(await Array.fromAsync(target.read(converted.asset))) } as const;
  }

  function convert(source: Asset, preview: Preview, target: AssetStore): Promise<Converted | NotConverted> {
    const converter = createConverter(decoder, target);
    const { width, quality } = preview;
    const format = formatOf(preview);
    const options = quality === undefined ? {} : { quality };
    return width === undefined
      ? converter.convert(source, format, options)
      : converter.resize(source, width, { format, ...options });
  }

  return {
    async get(name, preview) {
      // What retention removed is not shown smaller either.
      const bytes = await assets.size(name.hash, name.type);
      if (bytes === undefined) return undefined;
      if (name.type === 'svg') return no('not_looked_at', 'SVG is never rendered here');
      if (bytes > MAX_SOURCE_BYTES) return no('too_large', `${bytes} bytes are more than ${MAX_SOURCE_BYTES}`);
      const found = await files.find({ hash: name.hash, key: previewKey(preview) });
      if (found !== undefined) return { ok: true, type: formatOf(preview), ...found };
      const id = `${name.hash}.${name.type}/${previewKey(preview)}`;
      const known = making.get(id) ?? refused.get(id);
      if (known !== undefined) return known;
      if (making.size >= MAX_MAKING) return no('busy', `${making.size} previews are being made already`);
      const begun = make(name, preview, id).finally(() => making.delete(id));
      making.set(id, begun);
      return begun;
    },
  };
}

/** What a stored picture measures, read from its bytes: the name in a URL says only its hash and type. */
async function inspect(
  assets: PreviewsOptions['assets'],
  { hash, type }: Pick<Asset, 'hash' | 'type'>,
): Promise<Asset | NotConverted> {
  const nowhere = { write() {}, commit: async () => {}, discard: async () => {} };
  const intake = createIntake({ create: () => nowhere, read: assets.read }, { maxBlobs: 1 });
  const blob = intake.openBlob();
  try {
    for await (const chunk of assets.read({ hash, type })) await blob.write(chunk);
  } catch (error) {
    blob.end();
    return no('missing', error instanceof Error ? error.message : String(error));
  }
  const settled = await intake.settle(blob.end());
  return settled.ok ? settled.asset : no('unusable', settled.detail);
}

function inMemory(written: Buffer, type: TargetFormat): MadePreview {
  return {
    ok: true,
    type,
    bytes: written.length,
    async *read(start, end) {
      yield written.subarray(start, end);
    },
  };
}

function no(problem: NotConverted['problem'], detail: string): NotConverted {
  return { ok: false, problem, detail };
}
