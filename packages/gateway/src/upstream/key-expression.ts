import type { KeyPlace } from '@onetake/core';
import type { ProviderConfig } from '../config.ts';
import { quoted } from './sh.ts';

/**
 * What a shell is told, between double quotes, to put a key where it belongs: `$OPENAI_API_KEY`, or `$(cat '/run/key')`
 * of a file, whose path only an administrator is shown. Never the key.
 */
export function keyExpression(
  key: KeyPlace,
  credential: string,
  provider: Pick<ProviderConfig, 'id' | 'keySource' | 'pool' | 'played'>,
  showsPaths: boolean,
): string {
  const { id, keySource, pool } = provider;
  // The imitation takes any key, and without one of the user's this is what it gets.
  if (keySource === undefined && provider.played) return 'sandbox';
  const source = pool && credential.startsWith(`${id}:`) ? credential.slice(id.length + 1) : keySource;
  const plain = sourceExpression(source, id, showsPaths);
  if (key.form === 'plain') return plain;
  return `$(printf %s "${plain}" | base64 | tr -d '\\n')`;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

function sourceExpression(source: string | undefined, id: string, showsPaths: boolean): string {
  if (source !== undefined && VARIABLE.test(source)) return `$${source}`;
  if (source !== undefined && showsPaths) return `$(cat ${quoted(source)})`;
  return `$${id
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '_')
    .replace(/^(?=\d)/, '_')}_API_KEY`;
}
