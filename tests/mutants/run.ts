/** Proves that the tests notice: applies each mutant to a copy of its package and expects a test to fail. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A mutant that loops for ever is noticed too. */
const TEST_TIMEOUT_MS = 30_000;
/** Copies that are worked in at the same time. */
const LANES = 2;
const PACKAGES: readonly Mutant['package'][] = ['core', 'gateway', 'dashboard'];

interface Verdict {
  readonly mutant: Mutant;
  readonly caught: boolean;
  /** The test that failed, or why none did. */
  readonly by: string;
  readonly seconds: number;
}

const copies = await Promise.all(Array.from({ length: LANES }, () => mkdtemp(join(tmpdir(), 'onetake-mutants-'))));
try {
  await Promise.all(copies.map(fill));
  await inLanes([...new Set(MUTANTS.flatMap(testsOf))], expectHealthy);
  const began = performance.now();
  const verdicts: Verdict[] = [];
  await inLanes(MUTANTS, async (mutant, copy) => {
    const verdict = await judge(mutant, join(copy, mutant.package));
    verdicts.push(verdict);
    console.log(row(verdict));
  });
  const failed = verdicts.filter((verdict) => !verdict.caught);
  for (const verdict of failed) console.log(`not caught: ${row(verdict)}`);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${verdicts.length - failed.length} passed, ${failed.length} failed in ${seconds} s`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  await Promise.all(copies.map((copy) => rm(copy, { recursive: true, force: true })));
}

/** Each package stands below the copy as in the project, beside the same dependencies. */
async function fill(copy: string): Promise<void> {
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'junction');
  for (const name of PACKAGES) {
    await cp(join(ROOT, 'packages', name, 'src'), join(copy, name, 'src'), { recursive: true });
    await cp(join(ROOT, 'packages', name, 'package.json'), join(copy, name, 'package.json'));
  }
}

/** All of the work, in as many lanes as there are copies. */
async function inLanes<Item>(items: readonly Item[], work: (item: Item, copy: string) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const lane = async (copy: string) => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item, copy);
  };
  await Promise.all(copies.map(lane));
}

function testsOf(mutant: Mutant): readonly string[] {
  return mutant.tests.map((test) => join(mutant.package, 'src', test));
}

/** Without this a broken test would seem to catch everything. */
async function expectHealthy(test: string, copy: string): Promise<void> {
  if (!(await passes(join(copy, test)))) throw new Error(`${test} fails without any mutant; mend it first`);
}

async function judge(mutant: Mutant, packageCopy: string): Promise<Verdict> {
  const path = join(packageCopy, 'src', mutant.file);
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
    const failing = await firstFailing(mutant.tests, join(packageCopy, 'src'));
    const seconds = (performance.now() - began) / 1000;
    return { mutant, caught: failing !== undefined, by: failing ?? 'SURVIVED', seconds };
  } finally {
    await writeFile(path, original);
  }
}

async function firstFailing(tests: readonly string[], source: string): Promise<string | undefined> {
  for (const test of tests) if (!(await passes(join(source, test)))) return test;
  return undefined;
}

/** Ends with the first test that fails. */
function passes(test: string): Promise<boolean> {
  const args = ['--conditions=onetake-source', '--test-reporter=tap', test];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: TEST_TIMEOUT_MS,
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (/^\s*not ok /m.test(text)) child.kill();
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code === 0));
  });
}

function row({ mutant, by, seconds }: Verdict): string {
  const file = `${mutant.package}/${mutant.file}`;
  return `${mutant.name.padEnd(58)}${file.padEnd(32)}${by.padEnd(32)}${seconds.toFixed(1)} s`;
}
