/** Keeps the house: arrows, no cycles, no ambient time in core, small files, nothing switched off. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const MAX_FILE_LINES = 300;

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.mjs', '*.js'],
  { encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && !file.includes('/fixtures/'));
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const sources = files.filter((file) => file.startsWith('packages/') && file.includes('/src/'));
const product = sources.filter((file) => !file.endsWith('.test.ts') && !file.includes('/testing/'));

function importsOf(file: string): readonly string[] {
  const found = (texts.get(file) ?? '').matchAll(
    /^\s*(?:import|export)\s[^'"`;]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? '');
}

/** The files a file imports, types included; packages are left out. */
function relativeImports(file: string): readonly string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(file), specifier)));
}

function offenders(where: readonly string[], pattern: RegExp): readonly string[] {
  return where.flatMap((file) =>
    (texts.get(file) ?? '')
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

test('every file fits on a screen or two', () => {
  const long = files.filter((file) => (texts.get(file) ?? '').split('\n').length > MAX_FILE_LINES + 1);
  assert.deepEqual(long, []);
});

test('functions are bounded by a rule that nobody switches off', () => {
  const biome = JSON.parse(readFileSync('biome.json', 'utf8'));
  const rule = biome.linter.rules.complexity.noExcessiveLinesPerFunction;
  assert.deepEqual([rule.level, rule.options.maxLines], ['error', 60]);
  assert.equal(biome.overrides, undefined);
  const exempt = /biome-ignore|@ts-(?:ignore|expect-error|nocheck)/;
  assert.deepEqual(
    offenders(
      files.filter((file) => file !== 'tests/tidy.test.ts'),
      exempt,
    ),
    [],
  );
});

test('nothing is exported wholesale and nothing is any', () => {
  assert.deepEqual(offenders(sources, /^\s*export \* /), []);
  const { suspicious } = JSON.parse(readFileSync('biome.json', 'utf8')).linter.rules;
  assert.equal(suspicious.noExplicitAny, 'error');
});

test('the arrows: gateway → core, sandbox → nothing, core → undici alone, the page → nothing of ours', () => {
  const allowed: Readonly<Record<string, RegExp>> = {
    core: /^(?:\.|node:|undici$)/,
    sandbox: /^(?:\.|node:)/,
    gateway:
      /^(?:\.|node:|@onetake\/core$|@onetake\/sandbox|fastify$|@fastify\/multipart$|zod$|yaml$|commander$|pino$|openai$|pg$|standardwebhooks$|csv-parse\/sync$|cli-progress$|sharp$|prom-client$|@opentelemetry\/[a-z-]+$)/,
    dashboard: /^(?:\.|react$|react\/|react-dom|@tanstack\/react-query$|uplot)/,
  };
  const wrong = product.flatMap((file) => {
    const rule = allowed[file.split('/')[1] ?? ''];
    return importsOf(file)
      .filter((specifier) => !rule?.test(specifier))
      .map((specifier) => `${file} imports ${specifier}`);
  });
  assert.deepEqual(wrong, []);
});

test('policies and providers meet only in the run', () => {
  const [policy, providers] = ['packages/core/src/policy/', 'packages/core/src/providers/'];
  const wrong = product.flatMap((file) => {
    const forbidden = file.startsWith(policy) ? providers : file.startsWith(providers) ? policy : undefined;
    return relativeImports(file)
      .filter((target) => forbidden !== undefined && target.startsWith(forbidden))
      .map((target) => `${file} → ${target}`);
  });
  assert.deepEqual(wrong, []);
});

test('shared code never asks which provider it serves', () => {
  const shared = product.filter((file) => file.startsWith('packages/core/src/') && !file.includes('/providers/'));
  assert.deepEqual(offenders(shared, /provider(?:\.id)? === '|\.provider\.id ===/), []);
});

test('there are no cycles, not even of types', () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (path.includes(file) || done.has(file)) return;
    for (const target of relativeImports(file)) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of sources) visit(file, []);
  assert.deepEqual(cycles, []);
});

test('core has one door to the world', () => {
  const pure = product.filter(
    (file) => file.startsWith('packages/core/src/') && !/system-io\.ts$|\/transport\//.test(file),
  );
  assert.deepEqual(
    offenders(pure, /Date\.now\(|setTimeout\(|setInterval\(|Math\.random\(|performance\.now\(|process\.(?:env|hrtime)/),
    [],
  );
  const worldly = /^node:(?:fs|net|tls|http|https|dns|child_process|worker_threads|timers)/;
  assert.deepEqual(
    pure.filter((file) => importsOf(file).some((specifier) => worldly.test(specifier))),
    [],
  );
});

test('names say what a thing is', () => {
  assert.deepEqual(
    product.filter((file) => /[/-](?:manager|helper|utils?|service|common|misc|base)s?\.ts$/.test(file)),
    [],
  );
});

test('no machine paths in the tree', () => {
  const everything = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  }).split('\n');
  const read = everything.filter((file) => file !== '' && !/\.(?:png|jpg|webp|gif|avif|ico|pem)$/.test(file));
  const paths = new RegExp(['/wo', 'rk/|/ro', 'ot/'].join(''));
  assert.deepEqual(
    read.filter((file) => paths.test(readFileSync(file, 'utf8'))),
    [],
  );
});
