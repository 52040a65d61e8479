// The door to every command of a clone: installs what is missing, then runs the command under the pinned Node.
// It must run on any Node from 20 on, so it is plain JavaScript with nothing but Node's own modules.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const tool = (name) => join(root, 'node_modules', '.bin', name);
const source = '--conditions=onetake-source';
// Twice as much would be V8's own choice; with 1,000 streams open it is 30 MB more for no less work.
const youngGeneration = '--max-semi-space-size=16';
// Suites of whole processes wait more than they work, so more of them run at once than there are cores.
const tests = ['--test', '--test-reporter=spec', '--test-concurrency=4'];

const commands = {
  onetake: (args) => [[node, source, youngGeneration, 'packages/gateway/src/cli/main.ts', ...args]],
  script: (args) => [[node, source, ...args]],
  test: (args) => [
    [node, source, ...tests, ...(args.length > 0 ? args : ['packages/*/src/**/*.test.ts', 'tests/*.test.ts'])],
  ],
  'test-full': () => [
    [node, source, ...tests, '--test-concurrency=1', 'tests/full/*.test.ts'],
    [node, source, ...tests, ...['crash', 'fidelity', 'providers'].map((suite) => `tests/${suite}/*.test.ts`)],
    // What a browser measures of itself is of use only where nothing else runs.
    [node, source, ...tests, '--test-concurrency=1', 'tests/browser/*.test.ts'],
    [node, source, 'tests/mutants/run.ts'],
  ],
  check: () => [
    [node, tool('tsc'), '--project', 'tsconfig.json'],
    [node, tool('tsc'), '--project', 'packages/dashboard/tsconfig.json'],
    [node, tool('biome'), 'ci', '.'],
    [node, source, ...tests, 'tests/tidy.test.ts'],
    // What is published is made by stricter rules than what runs in a clone.
    ...commands.build(),
  ],
  format: () => [[node, tool('biome'), 'check', '--write', '.']],
  build: () =>
    ['core', 'sandbox', 'gateway'].map((name) => [
      node,
      tool('tsc'),
      '--project',
      `packages/${name}/tsconfig.build.json`,
    ]),
};

function install() {
  const stamp = join(root, 'node_modules', '.onetake-install');
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('onetake: installing dependencies (once per change of package-lock.json)…\n');
  // The install must also work where npm is told to run no scripts; the pinned Node arrives by its install script.
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const done = spawnSync(
    npm[0],
    [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts=false'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: npm.length === 1 && process.platform === 'win32',
    },
  );
  if (done.status !== 0) process.exit(done.status ?? 1);
  if (!existsSync(node)) {
    process.stderr.write(
      'onetake: npm installed no Node 26; is "ignore-scripts" set, or is this platform without a build of it?\n',
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

/** Of what files are called and hold; paths from the root. */
function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

/** A directory instead of another; where somebody else's build was faster, theirs is as good. */
function takePlace(draft, page, done) {
  rmSync(page, { recursive: true, force: true });
  try {
    renameSync(draft, page);
    done();
  } catch (error) {
    if (!existsSync(join(page, 'index.html'))) throw error;
  }
}

/** Builds the page where its sources changed since it was built; false when that failed, and the old one stays. */
function buildPage() {
  const dashboard = join('packages', 'dashboard');
  const page = join(root, 'packages', 'gateway', 'page');
  const stamp = join(root, 'node_modules', '.onetake-page');
  const sources = readdirSync(join(root, dashboard), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => !file.includes('node_modules'))
    .sort();
  const wanted = digestOf(['package-lock.json', 'tsconfig.base.json', ...sources]);
  const isBuilt = existsSync(join(page, 'index.html')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  if (isBuilt) return true;
  process.stderr.write('onetake: building the page (once per change of its sources)…\n');
  // Beside the old one, which takes its place when it is whole: two builds at once, or half of one, harm nobody.
  const draft = join(root, 'node_modules', '.cache', `page-${process.pid}`);
  mkdirSync(dirname(draft), { recursive: true });
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const done = spawnSync(node, [vite, 'build', '--logLevel', 'warn', '--outDir', draft, '--emptyOutDir'], {
    cwd: join(root, dashboard),
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 2, 2],
  });
  const isWhole = done.status === 0 && existsSync(join(draft, 'index.html'));
  if (isWhole) takePlace(draft, page, () => writeFileSync(stamp, wanted));
  else process.stderr.write('onetake: the page was not built; the lines above say why\n');
  rmSync(draft, { recursive: true, force: true });
  return isWhole;
}

function tryBuildPage() {
  try {
    return buildPage();
  } catch (error) {
    process.stderr.write(`onetake: the page was not built: ${error.message}\n`);
    return false;
  }
}

function run([program, ...args]) {
  return new Promise((resolve) => {
    // The pinned Node first on PATH, so that whatever a command starts uses it too. The fourth channel tells a
    // child that its launcher is gone: nothing keeps running, or keeps the port, after a kill -9 of this process.
    const env = {
      ...process.env,
      PATH: `${dirname(tool('node'))}:${process.env.PATH ?? ''}`,
      NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'),
    };
    const child = spawn(program, args, { cwd: root, env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    const forward = (signal) => child.kill(signal);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
    child.on('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward);
      resolve(signal ? 1 : (code ?? 1));
    });
  });
}

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) {
  process.stderr.write(`onetake: unknown command "${name}"; known are ${Object.keys(commands).join(', ')}\n`);
  process.exit(2);
}
install();
if (name === 'build' || name === 'test-full') {
  if (!tryBuildPage()) process.exit(1);
} else if (name === 'onetake' && (args[0] ?? 'start') === 'start') {
  // Pictures are made without it too.
  tryBuildPage();
}
for (const step of command(args)) {
  const code = await run(step);
  if (code !== 0) process.exit(code);
}
