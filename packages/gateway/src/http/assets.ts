import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { type Asset, IMAGE_TYPES, type ImageType } from '@onetake/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DiskAssets } from '../assets/disk.ts';
import { type Preview, previewKey } from '../pictures/preview.ts';
import { admit, isAsItIs, type PreviewDeps, previewProblem, readPreview } from './previews.ts';
import { RequestProblem } from './problem.ts';

type AssetName = Pick<Asset, 'hash' | 'type'>;

/** The first byte, and one past the last. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

type AssetRequest = FastifyRequest<{ Params: { name: string } }>;

/** A picture about to be sent, whole or in part. */
interface Sending {
  /** In quotes; the same bytes for ever. */
  readonly etag: string;
  readonly size: number;
  /** Its headers are those of this picture. */
  readonly shown: AssetName;
  read(range: ByteRange): AsyncIterable<Uint8Array>;
}

/**
 * `GET` and `HEAD /v1/assets/{hash}.{ext}`, mounted with the parameter `name`. The bytes under a hash never change, so
 * they may be kept for ever; nothing in them may run, so the page they would make is locked in. With `previewing`, the
 * query's `w`, `format` and `q` ask for the picture smaller or in another format.
 */
export function serveAsset(assets: Pick<DiskAssets, 'size' | 'read'>, previewing?: PreviewDeps) {
  return async (request: AssetRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const asset = assetNamed(request.params.name);
    if (asset === undefined) throw unknownAsset(request.params.name);
    const preview = previewing && readPreview(request.query);
    if (preview && !isAsItIs(asset, preview)) return sendPreview({ request, reply }, asset, preview, previewing);
    const size = await assets.size(asset.hash, asset.type);
    if (size === undefined) throw unknownAsset(request.params.name);
    const read = (range: ByteRange) => assets.read(asset, range);
    return send({ request, reply }, { etag: `"${asset.hash}"`, size, shown: asset, read });
  };
}

interface Exchange {
  readonly request: AssetRequest;
  readonly reply: FastifyReply;
}

async function sendPreview(exchange: Exchange, asset: AssetName, preview: Preview, previewing: PreviewDeps) {
  const { name } = exchange.request.params;
  const link = admit(exchange.request, name, preview, previewing);
  const made = await previewing.previews.get(asset, preview);
  if (made === undefined) throw unknownAsset(name);
  if (!made.ok) throw previewProblem(made);
  if (link !== undefined) exchange.reply.header('content-location', link);
  return send(exchange, {
    etag: `"${asset.hash}-${previewKey(preview)}"`,
    size: made.bytes,
    shown: { hash: asset.hash, type: made.type },
    read: ({ start, end }) => made.read(start, end),
  });
}

function send({ request, reply }: Exchange, { etag, size, shown, read }: Sending): FastifyReply {
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).headers(cacheHeaders(etag)).send();
  const range = requestedRange(request.headers, etag, size);
  if (range === 'unsatisfiable') throw outsideOf(request.headers.range ?? '', size);
  reply.headers({ ...cacheHeaders(etag), ...contentHeaders(shown) });
  if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end - 1}/${size}`);
  const { start, end } = range ?? { start: 0, end: size };
  reply.header('content-length', String(end - start));
  // Fastify keeps the length of a HEAD's answer only where it is given a stream.
  const bytes = request.method === 'HEAD' ? [] : read({ start, end });
  return reply.send(Readable.from(bytes, { objectMode: false }));
}

const TYPES_BY_EXTENSION = new Map(
  Object.entries(IMAGE_TYPES).map(([type, { extension }]) => [extension, type as ImageType]),
);

function assetNamed(name: string): AssetName | undefined {
  const [, hash = '', extension = ''] = /^([0-9a-f]{64})\.([a-z]{3,5})$/.exec(name) ?? [];
  const type = TYPES_BY_EXTENSION.get(extension);
  return type && { hash, type };
}

function cacheHeaders(etag: string): Record<string, string> {
  return { etag, 'cache-control': 'public, max-age=31536000, immutable' };
}

function contentHeaders({ hash, type }: AssetName): Record<string, string> {
  const { mime, extension } = IMAGE_TYPES[type];
  const policy = "sandbox; default-src 'none'";
  return {
    'content-type': mime,
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'content-security-policy': type === 'svg' ? `${policy}; style-src 'unsafe-inline'` : policy,
    'cross-origin-resource-policy': 'cross-origin',
    ...(type === 'svg' && { 'content-disposition': `attachment; filename="${hash}.${extension}"` }),
  };
}

function matches(header: string | undefined, etag: string): boolean {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** A single range of bytes (RFC 9110, 14.2). What is not one, or is meant for other bytes, asks for everything. */
function requestedRange(
  headers: IncomingHttpHeaders,
  etag: string,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== etag) return undefined;
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.range ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  return start >= end ? 'unsatisfiable' : { start, end };
}

function unknownAsset(name: string): RequestProblem {
  const message = `asset: there is no picture "${name.slice(0, 100)}"; retention may have removed it, or the extension is another`;
  return new RequestProblem(404, 'not_found', message);
}

function outsideOf(range: string, size: number): RequestProblem {
  const message = `Range: "${range}" lies outside of the picture's ${size} bytes; ask for less or leave the header out`;
  return new RequestProblem(416, 'invalid_range', message, {
    param: 'Range',
    headers: { 'content-range': `bytes */${size}` },
  });
}
