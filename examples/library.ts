// The engine without a server. It plays against a sandbox of its own, so it needs no key and pays nothing.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, OnetakeError } from '@onetake/core';
import { startSandbox } from '@onetake/sandbox';

const dataDir = await mkdtemp(join(tmpdir(), 'onetake-example-'));
const sandbox = await startSandbox({ dataDir });
const client = createClient({
  providers: { lab: { baseUrl: `${sandbox.url}/v1` } },
  routes: { best: { targets: ['lab/503-overloaded', 'lab/ok'] } },
  onEvent: (event) => console.log(event.type, 'target' in event ? event.target : ''),
});

try {
  const { images, targets, paidAttempts } = await client.images.generate({ model: 'best', prompt: 'a red fox' });
  const [picture] = images;
  if (picture) await writeFile('fox.png', await picture.bytes());
  console.log(`fox.png from ${targets[0]}, ${paidAttempts} paid attempt`);
} catch (error) {
  if (!(error instanceof OnetakeError)) throw error;
  console.error(`${error.code} (${error.failure.certainty}): ${error.message}\n${error.advice}`);
  process.exitCode = 1;
} finally {
  await client.close();
  await sandbox.close();
  await rm(dataDir, { recursive: true });
}
