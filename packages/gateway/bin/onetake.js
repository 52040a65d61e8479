#!/usr/bin/env node
// Runs the built program; in a clone, its TypeScript source under a Node that reads it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const source = path('../src/cli/main.ts');

if (existsSync(source)) runSource();
else await import('../dist/cli/main.js');

function runSource() {
  const pinned = path(`../../../node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`);
  const node = existsSync(pinned) ? pinned : process.execPath;
  if (node === process.execPath && Number(process.versions.node.split('.')[0]) < 24) {
    process.stderr.write(
      `onetake: needs Node 24 or newer, and this is ${process.version}; "npm start" in the clone installs one\n`,
    );
    process.exit(1);
  }
  // The fourth channel tells the program that this process is gone, even after a kill -9.
  const child = spawn(
    node,
    ['--conditions=onetake-source', '--max-semi-space-size=16', source, ...process.argv.slice(2)],
    {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`onetake: ${node} does not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
