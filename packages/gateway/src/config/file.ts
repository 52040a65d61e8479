import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { nearMatches } from '@onetake/core';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { didYouMean, fault, type Report } from './report.ts';
import { CONFIG_FILE, type ConfigFile, knownKeys } from './schema.ts';

export interface FileSource {
  readonly path: string;
  /** The file was asked for by name, so its absence is a fault. */
  readonly required: boolean;
}

const FILE_NAME = 'onetake.yaml';
const MAX_FILE_BYTES = 1024 ** 2;

/** Where the file is looked for: as told, as `ONETAKE_CONFIG` says, else `onetake.yaml` in `cwd`. */
export function locateFile(cwd: string, told: string | undefined): FileSource {
  return { path: resolve(cwd, told || FILE_NAME), required: Boolean(told) };
}

/** Reads and checks the file; an absent optional one is an empty one. Faults go to the report. */
export function readConfigFile(source: FileSource, report: Report): ConfigFile {
  const result = CONFIG_FILE.safeParse(withoutEmpty(readYaml(source, report)), { reportInput: true });
  if (result.success) return result.data;
  report.faults.push(...result.error.issues.flatMap(describe));
  return CONFIG_FILE.parse({});
}

function readYaml({ path, required }: FileSource, report: Report): unknown {
  const lines = new LineCounter();
  const refuse = (sentence: string) => {
    report.faults.push(`${path}: ${sentence}`);
    return {};
  };
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) return refuse(`expected at most ${MAX_FILE_BYTES} bytes, got ${size}`);
    // Pretty errors quote the line, and a line may hold a key.
    const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, prettyErrors: false });
    const [error] = document.errors;
    if (error === undefined) return document.toJS({ maxAliasCount: 100 }) ?? {};
    const { line, col } = lines.linePos(error.pos[0]);
    return refuse(`expected YAML, got a fault in line ${line}, column ${col} (${error.code})`);
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !required) return {};
    if (code === 'ENOENT') return refuse('expected a file, got nothing; ONETAKE_CONFIG names it');
    return refuse(`expected a readable file, got ${code ?? name}`);
  }
}

/** A section whose entries are all commented out reads as null. */
function withoutEmpty(file: unknown): unknown {
  if (typeof file !== 'object' || file === null || Array.isArray(file)) return file;
  return Object.fromEntries(Object.entries(file).filter(([, value]) => value !== null));
}

function describe(issue: z.core.$ZodIssue): string[] {
  const inside = faultsInside(issue);
  if (inside) return inside.flatMap((one) => describe({ ...one, path: [...issue.path, ...one.path] }));
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  const where = path.join('.') || FILE_NAME;
  if (issue.code === 'invalid_key') return [fault(where, issue.issues[0]?.message ?? issue.message, path.at(-1))];
  if (path.at(-1) === 'key_env') return [notAVariable(where, 'OPENAI_API_KEY', 'key', issue.input)];
  // What stands in an alert's channel may be its address, which is a secret.
  if (/^alerts\.channels(?!\.\d+\.(?:name|kind)$)/.test(where))
    return [`${where}: expected ${issue.message}, got a value that is not shown; correct it`];
  if (path.at(-1) === 'headers_env') return [notAVariable(where, 'OTLP_HEADERS', 'headers', issue.input)];
  if (path.at(-1) === 'secret_env') return [notAVariable(where, 'APP_WEBHOOK_SECRET', 'secret', issue.input)];
  return [fault(where, issue.message, issue.input)];
}

/** Where one of several shapes is a map, and a map was written: what is wrong in it says more than all the shapes. */
function faultsInside(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  const isInside = (one: z.core.$ZodIssue) => one.path.length > 0 || one.code === 'unrecognized_keys';
  const [shape, ...others] = issue.errors.filter((faults) => faults.length > 0 && faults.every(isInside));
  return others.length === 0 ? shape : undefined;
}

function notAVariable(where: string, example: string, held: string, value: unknown): string {
  const advice = `it takes the name, never the ${held}`;
  return fault(where, `the name of an environment variable in capitals, such as ${example}`, value, advice);
}

function unknownKey(path: readonly string[], key: string): string {
  const where = [...path, key].join('.');
  const literal = /^(api_?)?(key|token|secret)$/i.test(key);
  if (path[0] === 'providers' && literal) return literalKey(where, 'key');
  if (path[0] === 'webhooks' && path.length > 1 && literal) return literalKey(where, 'secret');
  const known = knownKeys(path);
  const hint = didYouMean(nearMatches(key, known)) ?? 'remove it or correct it';
  return `${where}: expected one of ${known.join(', ')}, got an unknown key; ${hint}`;
}

function literalKey(where: string, held: 'key' | 'secret'): string {
  const advice = `a ${held} in a file ends up in backups and repositories: put it into a variable and name that in ${held}_env`;
  return `${where}: expected ${held}_env or ${held}_file, got a literal ${held}; ${advice}`;
}
