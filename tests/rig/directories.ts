import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const kept = new Set<string>();
process.once('exit', () => {
  for (const directory of kept) removeDirectory(directory);
});

/** An empty directory that is gone, at the latest, when this process ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'onetake-suite-'));
  kept.add(directory);
  return directory;
}

export function removeDirectory(directory: string): void {
  // A process that was just killed may still be writing its last file.
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  kept.delete(directory);
}
