import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfiguredRules, type PromptRules, readPromptRules, starterRules } from '@onetake/core';
import type { Report } from './report.ts';

const MAX_BYTES = 4 * 1024 ** 2;

/**
 * What prompts are held against: the rules that ship for `on`, those of a file for its path, relative to `cwd`. `off`
 * leaves those that ship to routes that ask for them. Whatever is wrong with a file is a fault, each with its place.
 */
export function readRules(setting: string, cwd: string, report: Report): ConfiguredRules {
  if (setting === 'on' || setting === 'off') return { rules: starterRules(), everywhere: setting === 'on' };
  return { rules: readRulesFile(resolve(cwd, setting), report) ?? starterRules(), everywhere: true };
}

function readRulesFile(path: string, report: Report): PromptRules | undefined {
  try {
    const { size } = statSync(path);
    if (size > MAX_BYTES) throw new RangeError(`${size} bytes, where ${MAX_BYTES} are allowed`);
    const read = readPromptRules(JSON.parse(readFileSync(path, 'utf8')));
    if (read.ok) return read.rules;
    report.faults.push(...read.faults.map((fault) => `prompt_rules: ${path}: ${fault}`));
  } catch (error) {
    report.faults.push(`prompt_rules: expected on, off or a readable JSON file, got ${wordsOf(error)} for ${path}`);
  }
  return undefined;
}

function wordsOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'something that is not JSON';
  if (error instanceof RangeError) return error.message;
  return (error as NodeJS.ErrnoException).code ?? 'an error';
}
