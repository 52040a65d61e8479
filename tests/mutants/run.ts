/** Proves that the tests of core notice: applies each mutant to a copy of core and expects a test to fail. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTANTS, type Mutant } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A mutant that loops for ever is noticed too. */
const TEST_TIMEOUT_MS = 60_000;

interface Verdict {
  readonly mutant: Mutant;
  readonly caught: boolean;
  /** The test that failed, or why none did. */
  readonly by: string;
  readonly seconds: number;
}

const copy = await mkdtemp(join(tmpdir(), 'onetake-mutants-'));
try {
  const source = join(copy, 'packages/core/src');
  await cp(join(ROOT, 'packages/core'), join(copy, 'packages/core'), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  await expectHealthy(source);
  const verdicts: Verdict[] = [];
  for (const mutant of MUTANTS) {
    const verdict = await judge(mutant, source);
    verdicts.push(verdict);
    console.log(row(verdict));
  }
  const failed = verdicts.filter((verdict) => !verdict.caught).length;
  console.log(`${verdicts.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await rm(copy, { recursive: true, force: true });
}

/** Without this a broken test would seem to catch everything. */
async function expectHealthy(source: string): Promise<void> {
  for (const test of new Set(MUTANTS.flatMap((mutant) => mutant.tests))) {
    if (!(await passes(test, source))) throw new Error(`${test} fails without any mutant; mend it first`);
  }
}

async function judge(mutant: Mutant, source: string): Promise<Verdict> {
  const path = join(source, mutant.file);
  const original = await readFile(path, 'utf8');
  if (original.split(mutant.from).length !== 2) {
    return { mutant, caught: false, by: 'OUT OF DATE: its old text is not there exactly once', seconds: 0 };
  }
  await writeFile(
    path,
    original.replace(mutant.from, () => mutant.to),
  );
  const began = performance.now();
  try {
    const failing = await firstFailing(mutant.tests, source);
    const seconds = (performance.now() - began) / 1000;
    return { mutant, caught: failing !== undefined, by: failing ?? 'SURVIVED', seconds };
  } finally {
    await writeFile(path, original);
  }
}

async function firstFailing(tests: readonly string[], source: string): Promise<string | undefined> {
  for (const test of tests) if (!(await passes(test, source))) return test;
  return undefined;
}

function passes(test: string, source: string): Promise<boolean> {
  const args = ['--conditions=onetake-source', join(source, test)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: source, stdio: 'ignore', timeout: TEST_TIMEOUT_MS });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code === 0));
  });
}

function row({ mutant, by, seconds }: Verdict): string {
  return `${mutant.name.padEnd(54)}${mutant.file.padEnd(18)}${by.padEnd(30)}${seconds.toFixed(1)} s`;
}
