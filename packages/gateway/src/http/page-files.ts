import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

export type Encoding = 'br' | 'gzip' | 'identity';

/** One file of the built page, in memory. */
export interface PageFile {
  readonly type: string;
  /** Its name holds its hash, so what it holds never changes. */
  readonly isImmutable: boolean;
  /** Without quotes; of the bytes as they are. */
  readonly hash: string;
  /** Compressing pays. */
  readonly isText: boolean;
  /** Compressed once, when it is first asked for. */
  bytes(encoding: Encoding): Promise<Buffer>;
}

/** Files by their path inside the directory, such as `assets/index-3fK29_aB.js`. Nothing else can be had. */
export type PageFiles = ReadonlyMap<string, PageFile>;

export const MAX_PAGE_FILES = 200;
export const MAX_PAGE_BYTES = 16 * 1024 * 1024;
/** Where `npm run build` puts it, beside `src` and `dist`. */
export const PAGE_DIRECTORY = new URL('../../page/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
const COMPRESSED: readonly string[] = ['.html', '.js', '.css', '.json', '.svg', '.webmanifest'];
/** As Vite names what it builds: `name-HASH.ext`, eight characters of base64url. */
const HASHED = /^assets\/.*-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;
/** 230 KB of script take some 50 ms so, off the thread that answers; the best that Brotli can is 7 % smaller, in a second. */
const BROTLI_QUALITY = 9;

const compressors: Readonly<Record<Exclude<Encoding, 'identity'>, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

/**
 * Reads the page whole; undefined where it was not built. Only types that are served are read. Throws for more files or
 * bytes than a page has: then the directory holds something else.
 */
export function readPageFiles(directory: string): PageFiles | undefined {
  const files = new Map<string, PageFile>();
  let bytes = 0;
  for (const path of servedPaths(directory)) {
    const content = readFileSync(join(directory, path));
    bytes += content.length;
    if (bytes > MAX_PAGE_BYTES || files.size >= MAX_PAGE_FILES)
      throw new Error(
        `${directory}: expected at most ${MAX_PAGE_FILES} files of ${MAX_PAGE_BYTES} bytes; build the page anew`,
      );
    const name = path.replaceAll('\\', '/');
    files.set(name, pageFile(name, content));
  }
  return files.has('index.html') ? files : undefined;
}

function servedPaths(directory: string): readonly string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && TYPES[extname(entry.name)] !== undefined)
    .map((entry) => join(entry.parentPath, entry.name).slice(join(directory, '/').length))
    .toSorted();
}

function pageFile(name: string, content: Buffer): PageFile {
  const extension = extname(name);
  const kept = new Map<Encoding, Promise<Buffer>>([['identity', Promise.resolve(content)]]);
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    isImmutable: HASHED.test(name),
    hash: createHash('sha256').update(content).digest('base64url').slice(0, 22),
    isText: COMPRESSED.includes(extension),
    bytes(encoding) {
      const known = kept.get(encoding);
      if (known) return known;
      const made = encoding === 'identity' ? Promise.resolve(content) : compressors[encoding](content);
      kept.set(encoding, made);
      return made;
    },
  };
}
