import type { PictureBody } from '../../api/playground.ts';

/** A program of somebody else’s that asks for what the form asks for. */
export interface Program {
  readonly id: 'curl' | 'node' | 'python' | 'ai-sdk';
  readonly title: string;
  readonly text: string;
}

interface Asked {
  readonly body: PictureBody;
  /** The names of the files it works from. */
  readonly files: readonly string[];
  /** Of the gateway, without `/v1`. */
  readonly origin: string;
  /** Whether a key must be shown. */
  readonly needsKey: boolean;
}

/** The same request for curl, OpenAI’s SDKs and the AI SDK. */
export function programsFor(asked: Asked): readonly Program[] {
  return [
    { id: 'curl', title: 'curl', text: curl(asked) },
    { id: 'node', title: 'openai (Node)', text: node(asked) },
    { id: 'python', title: 'openai (Python)', text: python(asked) },
    { id: 'ai-sdk', title: 'AI SDK', text: aiSdk(asked) },
  ];
}

function curl({ body, files, origin, needsKey }: Asked): string {
  const path = files.length > 0 ? '/v1/images/edits' : '/v1/images/generations';
  const key = needsKey ? ['-H "authorization: Bearer $ONETAKE_API_KEY"'] : [];
  const parts =
    files.length > 0
      ? [
          ...Object.entries(body).map(([name, value]) => `-F ${shell(`${name}=${textOf(value)}`)}`),
          ...files.map((name) => `-F ${shell(`image[]=@${name}`)}`),
        ]
      : [`-H 'content-type: application/json'`, `-d ${shell(JSON.stringify(body))}`];
  return [`curl ${origin}${path}`, ...key, ...parts].join(' \\\n  ');
}

/** In single quotes nothing means anything to a shell but another one. */
function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function keyOf(needsKey: boolean, variable: string): string {
  return needsKey ? variable : `'local'`;
}

function node({ body, files, origin, needsKey }: Asked): string {
  const isEdit = files.length > 0;
  const images = files.map((name) => `fs.createReadStream(${JSON.stringify(name)})`);
  return [
    ...(isEdit ? [`import fs from 'node:fs';`] : []),
    `import OpenAI from 'openai';`,
    '',
    `const client = new OpenAI({`,
    `  baseURL: '${origin}/v1',`,
    `  apiKey: ${keyOf(needsKey, 'process.env.ONETAKE_API_KEY')},`,
    `  maxRetries: 0, // the gateway owns the one retry loop`,
    `});`,
    `const { data } = await client.images.${isEdit ? 'edit' : 'generate'}({`,
    ...Object.entries(body).map(([name, value]) => `  ${name}: ${script(value)},`),
    ...(isEdit ? [`  image: [${images.join(', ')}],`] : []),
    `});`,
  ].join('\n');
}

/** JSON is a program's literal, but for what a line of one cannot hold. */
function script(value: unknown): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** What the SDK's method has no parameter for goes along as it is. */
const PYTHON_FIELDS = new Set([
  ...['model', 'prompt', 'n', 'size', 'quality', 'output_format', 'output_compression', 'background', 'moderation'],
]);

function python({ body, files, origin, needsKey }: Asked): string {
  const isEdit = files.length > 0;
  const known = Object.entries(body).filter(([name]) => PYTHON_FIELDS.has(name) && !(isEdit && name === 'moderation'));
  const extra = Object.fromEntries(Object.entries(body).filter((entry) => !known.some(([name]) => name === entry[0])));
  const images = files.map((name) => `open(${pythonOf(name)}, "rb")`);
  return [
    ...(needsKey ? ['import os', ''] : []),
    'from openai import OpenAI',
    '',
    'client = OpenAI(',
    `    base_url="${origin}/v1",`,
    `    api_key=${needsKey ? 'os.environ["ONETAKE_API_KEY"]' : '"local"'},`,
    '    max_retries=0,  # the gateway owns the one retry loop',
    ')',
    `answer = client.images.${isEdit ? 'edit' : 'generate'}(`,
    ...known.map(([name, value]) => `    ${name}=${pythonOf(value)},`),
    ...(isEdit ? [`    image=[${images.join(', ')}],`] : []),
    ...(Object.keys(extra).length > 0 ? [`    extra_body=${pythonOf(extra)},`] : []),
    ')',
  ].join('\n');
}

/** JSON as Python spells it. */
function pythonOf(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, one]) => `${JSON.stringify(name)}: ${pythonOf(one)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}

/** Of what the AI SDK has a name for; the rest it hands to OpenAI's provider. */
function aiSdk({ body, files, origin, needsKey }: Asked): string {
  const { model = 'gpt-image-2', prompt, n, size, seed, aspect_ratio: ratio, onetake, ...options } = body;
  const isSized = typeof size === 'string' && size !== 'auto';
  const images = files.map((name) => `await readFile(${JSON.stringify(name)})`);
  const asked = files.length > 0 ? `{ text: ${script(prompt)}, images: [${images.join(', ')}] }` : script(prompt);
  return [
    ...(files.length > 0 ? [`import { readFile } from 'node:fs/promises';`] : []),
    `import { createOpenAI } from '@ai-sdk/openai';`,
    `import { generateImage } from 'ai';`,
    '',
    `const onetake = createOpenAI({`,
    `  baseURL: '${origin}/v1',`,
    `  apiKey: ${keyOf(needsKey, 'process.env.ONETAKE_API_KEY')},`,
    ...controlHeaders(onetake),
    `});`,
    `const { images } = await generateImage({`,
    `  model: onetake.image(${script(model)}),`,
    `  prompt: ${asked},`,
    ...(n === undefined ? [] : [`  n: ${script(n)},`]),
    ...(isSized ? [`  size: ${script(size)},`] : []),
    ...(ratio === undefined ? [] : [`  aspectRatio: ${script(ratio)},`]),
    ...(seed === undefined ? [] : [`  seed: ${script(seed)},`]),
    ...(Object.keys(options).length > 0 ? [`  providerOptions: { openai: ${script(options)} },`] : []),
    `  maxRetries: 0, // the gateway owns the one retry loop`,
    `});`,
  ].join('\n');
}

/** Controls have headers of the same names; candidates have none. */
function controlHeaders(controls: unknown): readonly string[] {
  if (typeof controls !== 'object' || controls === null) return [];
  const { candidates, pick: _, ...rest } = controls as Readonly<Record<string, unknown>>;
  const headers = Object.entries(rest).map(
    ([name, value]) => `'x-onetake-${name.replaceAll('_', '-')}': ${script(value)}`,
  );
  return [
    ...(headers.length > 0 ? [`  headers: { ${headers.join(', ')} },`] : []),
    ...(candidates === undefined ? [] : [`  // candidates need a body of your own: see curl`]),
  ];
}
