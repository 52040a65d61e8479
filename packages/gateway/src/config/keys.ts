import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Environment } from './environment.ts';
import type { Report } from './report.ts';

/** A provider's key and the name of what held it. */
export interface Key {
  readonly secret: string;
  readonly source: string;
}

const MAX_KEY_BYTES = 64 * 1024;

/** The key in the variable `name`, or in the file that `<name>_FILE` names; setting both is a fault. */
export function keyFromEnvironment(name: string, env: Environment, cwd: string, report: Report): Key | undefined {
  const value = env[name];
  const file = env[`${name}_FILE`];
  if (value && file) {
    report.faults.push(`${name}: expected it or ${name}_FILE, got both; unset one of them`);
    return undefined;
  }
  if (file) return keyFromFile(file, `${name}_FILE`, cwd, report);
  const secret = cleanKey(name, value ?? '', report);
  return secret === undefined ? undefined : { secret, source: name };
}

/** The trimmed contents of a file; `setting` is what named it. */
export function keyFromFile(file: string, setting: string, cwd: string, report: Report): Key | undefined {
  const path = resolve(cwd, file);
  try {
    const { size } = statSync(path);
    if (size > MAX_KEY_BYTES) throw new RangeError(`${size} bytes, which no key has`);
    const secret = cleanKey(path, readFileSync(path, 'utf8').trim(), report);
    if (secret !== undefined) return { secret, source: path };
    report.faults.push(`${setting}: expected a file that holds a key, got an empty one: ${path}`);
  } catch (error) {
    const got = error instanceof RangeError ? error.message : ((error as NodeJS.ErrnoException).code ?? 'an error');
    report.faults.push(`${setting}: expected a readable file, got ${got} for ${path}`);
  }
  return undefined;
}

/** Takes off what people paste along with a key; undefined when nothing is left. Never says what it read. */
function cleanKey(name: string, value: string, report: Report): string | undefined {
  const trimmed = value.trim();
  const bare = trimmed
    .replace(/^(["'])(.*)\1$/s, '$2')
    .replace(/^Bearer\s+/i, '')
    .trim();
  if (bare === '') return undefined;
  if (/[^\x21-\x7e]/.test(bare)) {
    report.faults.push(
      `${name}: expected one key, got a value with a space, a line break or a letter no key has inside it`,
    );
    return undefined;
  }
  if (/^["']|["']$/.test(bare)) {
    report.faults.push(`${name}: expected one key, got a value with a stray quote at its end; remove the quote`);
    return undefined;
  }
  if (bare !== value) report.notices.push(`${name}: read without ${pastedAlong(value, trimmed)} the key`);
  return bare;
}

function pastedAlong(value: string, trimmed: string): string {
  if (/^["']?Bearer\s/i.test(trimmed)) return 'the word "Bearer" before';
  return value === trimmed ? 'the quotes around' : 'the space around';
}
