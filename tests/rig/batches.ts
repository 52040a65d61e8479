import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { removeDirectory, temporaryDirectory } from './directories.ts';
import { ONETAKE, startGateway } from './gateway.ts';
import { chargesByPrompt, readLedger } from './ledger.ts';
import { until } from './poll.ts';
import { runFile } from './processes.ts';
import { type RunningSandbox, startSandbox } from './sandbox.ts';

/** What `report.json` says that tests look at. */
export interface BatchReport {
  readonly ended_by: string;
  readonly lines: Readonly<Record<string, number>>;
  readonly pictures: number;
  readonly unknown: readonly { readonly line: number; readonly code: string }[];
}

/** What came of a batch whose process was killed again and again. */
export interface KilledBatch {
  readonly report: BatchReport;
  readonly exitCode: number | NodeJS.Signals;
  /** Bytes of each picture in its directory. */
  readonly pictureBytes: readonly number[];
  /** Pictures that the provider charged, by prompt. */
  readonly charges: ReadonlyMap<string, number>;
  /** Lines that were open at each kill, all kills together. */
  readonly open: number;
  readonly tookMs: number;
}

const CONCURRENCY = 16;
const MAX_LIFE_MS = 1_500;
const LAST_SESSION_TIMEOUT_MS = 240_000;
/** One in so many goes to a provider that answers with the picture, which nobody can ask what became of it. */
const CALL_EVERY = 4;

/**
 * Runs a batch of `lines`, killed `kills` times at random moments, to its end by `onetake batch resume`. Its gateway is
 * `inside` and killed with it, or `beside` and lives on.
 */
export async function killBatchAgainAndAgain(
  lines: number,
  kills: number,
  gatewayIs: 'inside' | 'beside',
): Promise<KilledBatch> {
  const sandbox = await startSandbox();
  const home = temporaryDirectory();
  const out = join(home, 'out');
  prepare(home, sandbox, lines);
  const gateway = gatewayIs === 'beside' ? await startGateway({ home }) : undefined;
  const run = (args: readonly string[]) =>
    runFile(ONETAKE, [...args, '--concurrency', String(CONCURRENCY)], {
      cwd: home,
      env: gateway ? { ONETAKE_URL: gateway.url } : { ONETAKE_PORT: '0', ONETAKE_DATA: join(home, 'data') },
    });
  try {
    const startedAt = performance.now();
    let args: readonly string[] = ['batch', 'prompts.jsonl', '--out', 'out'];
    let open = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const running = run(args);
      await until(`session ${kill + 1}`, async () => journaled(out, 'session') > kill);
      await pause(Math.random() * MAX_LIFE_MS);
      await running.end('SIGKILL');
      open +=
        journaled(out, 'intended') - ['done', 'failed', 'unknown'].reduce((sum, end) => sum + journaled(out, end), 0);
      args = ['batch', 'resume', 'out'];
    }
    const exitCode = await run(args).ended(LAST_SESSION_TIMEOUT_MS);
    const tookMs = performance.now() - startedAt;
    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as BatchReport;
    const pictures = readdirSync(out).filter((name) => name.endsWith('.png'));
    const pictureBytes = pictures.map((name) => readFileSync(join(out, name)).length);
    return { report, exitCode, pictureBytes, charges: chargesByPrompt(await readLedger(sandbox.url)), open, tookMs };
  } finally {
    await gateway?.close();
    await sandbox.close();
    removeDirectory(home);
  }
}

function prepare(home: string, { url }: RunningSandbox, lines: number): void {
  const yaml = [
    'providers:',
    `  lab: { kind: sandbox-task, base_url: "${url}" }`,
    `  lab2: { kind: openai-compatible, base_url: "${url}/v1" }`,
    'sandbox: off',
    '',
  ].join('\n');
  const prompts = Array.from({ length: lines }, (_, index) => {
    const model = `${index % CALL_EVERY === 0 ? 'lab2' : 'lab'}/slow:0.5`;
    return `${JSON.stringify({ prompt: `batch fox ${index}`, model, size: '64x48' })}\n`;
  });
  writeFileSync(join(home, 'onetake.yaml'), yaml);
  writeFileSync(join(home, 'prompts.jsonl'), prompts.join(''));
}

/** How many events of this type the batch's journal holds. */
function journaled(out: string, type: string): number {
  const path = join(out, 'progress.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split(`{"type":"${type}"`).length - 1 : 0;
}
