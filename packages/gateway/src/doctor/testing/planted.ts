import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Check, Diagnosis } from '../check.ts';
import { CHECKS } from '../checks.ts';
import { diagnose } from '../diagnose.ts';
import { openWorld } from '../open-world.ts';
import type { DoctorIo, DoctorOptions, GatewayFacts } from '../world.ts';
import { wellIo } from './well-io.ts';

/** A set-up: what stands in the environment, in files, behind the door to the world, and what the gateway tells. */
export interface SetUp {
  readonly name: string;
  /** `DIR` in a value stands for the directory of the set-up. */
  readonly env?: Readonly<Record<string, string>>;
  /** The contents of `onetake.yaml`. */
  readonly yaml?: string;
  /** Other files of the directory by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** What answers otherwise than well. */
  readonly io?: Partial<DoctorIo> | ((dir: string) => Partial<DoctorIo>);
  readonly gateway?: Partial<GatewayFacts>;
  readonly options?: DoctorOptions;
}

/** A set-up with one fault in it, and what the doctor must say of it. */
export interface Planted extends SetUp {
  /** The id of the finding that names it. */
  readonly finds: string;
  /** A piece of that finding's message. */
  readonly says?: RegExp;
  /** A piece of its advice. */
  readonly advice: RegExp;
  readonly exit: 1 | 2;
}

/** The values of `env` that no output may hold have this in them. */
export const CANARY = 'cAnArY7kEy';

/** One test per fault: the doctor names it, says what to do, ends with the exit code, and tells no secret. */
export function testPlanted(faults: readonly Planted[], checks: readonly Check[] = CHECKS): void {
  for (const fault of faults) {
    test(`planted: ${fault.name}`, async () => {
      const diagnosis = await diagnoseSetUp(fault, checks);
      const found = diagnosis.findings.find(({ id }) => id === fault.finds);
      assert.ok(found, `${fault.finds} is not among:\n${told(diagnosis)}`);
      assert.match(found.advice ?? '', fault.advice);
      if (fault.says) assert.match(found.message, fault.says);
      assert.equal(diagnosis.verdict, fault.exit, told(diagnosis));
      assert.ok(!JSON.stringify(diagnosis).includes(CANARY), 'a secret is in what the doctor says');
    });
  }
}

/** One test per set-up: nothing is found wrong with it. */
export function testHealthy(setUps: readonly SetUp[], checks: readonly Check[] = CHECKS): void {
  for (const setUp of setUps) {
    test(`healthy: ${setUp.name}`, async () => {
      const diagnosis = await diagnoseSetUp(setUp, checks);
      const alarms = diagnosis.findings.filter(({ level }) => level === 'warning' || level === 'broken');
      assert.deepEqual(alarms, []);
      assert.equal(diagnosis.verdict, 0);
    });
  }
}

/** What the doctor finds in a set-up, in a directory that is made for it and removed again. */
export async function diagnoseSetUp(setUp: SetUp, checks: readonly Check[] = CHECKS): Promise<Diagnosis> {
  const dir = await mkdtemp(join(tmpdir(), 'onetake-doctor-'));
  try {
    const files = { ...setUp.files, ...(setUp.yaml !== undefined && { 'onetake.yaml': setUp.yaml }) };
    for (const [name, contents] of Object.entries(files)) await writeFile(join(dir, name), contents);
    const env = Object.fromEntries(
      Object.entries(setUp.env ?? {}).map(([name, value]) => [name, value.replaceAll('DIR', dir)]),
    );
    const { gateway, options, io = {} } = setUp;
    const world = openWorld({
      env,
      cwd: dir,
      io: wellIo(typeof io === 'function' ? io(dir) : io),
      ...(options && { options }),
      ...(gateway && { gateway: { url: 'http://127.0.0.1:8484', isReady: true, ...gateway } }),
      timeoutMs: 5_000,
    });
    return await diagnose(world, checks);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function told({ findings }: Diagnosis): string {
  return findings.map(({ level, id, message }) => `${level} ${id}: ${message}`).join('\n');
}
