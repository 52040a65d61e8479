import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { loadConfig } from '../../config.ts';
import type { CliContext, RunningGateway } from '../context.ts';
import { createStockClient, type StockClient, type StockResult } from '../demo/stock-client.ts';
import { STORIES, type Story, type Telling, tell } from '../demo/stories.ts';
import { CliError, EXIT, interrupted } from '../exit.ts';
import { picturePath, verifyPicture, writeAtomically } from '../picture-file.ts';
import { openGateway } from '../reach.ts';
import { columns, count, heading, oneLine } from '../text.ts';

interface Comparison {
  readonly story: Story;
  readonly direct: Telling;
  readonly through: Telling;
}

const PICTURE_FILE = 'onetake-demo.png';

/** Plays two accidents with and without Onetake, with the sandbox's bill as proof. Needs no key and keeps no data. */
export async function demo(context: CliContext): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'onetake-demo-'));
  try {
    const config = loadConfig({ env: { ONETAKE_PORT: '0', ONETAKE_DATA: dataDir }, cwd: dataDir });
    const gateway = await openGateway(context, config);
    try {
      return await show(context, gateway);
    } finally {
      await gateway.close();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function show(context: CliContext, gateway: RunningGateway): Promise<number> {
  const sandboxUrl = gateway.sandbox?.url;
  if (sandboxUrl === undefined) throw new CliError('the demo needs the sandbox, and it did not start');
  const client = await createStockClient();
  context.stdout.write(
    `The client is ${client.name}.\nThe provider is a sandbox that keeps a bill; nothing real is paid.\n`,
  );
  for (const story of STORIES) {
    context.stderr.write(`playing: ${story.title}\n`);
    const comparison = await compare(context, story, client, `${gateway.url}/v1`, sandboxUrl);
    context.stdout.write(`\n${describe(comparison, context)}\n`);
    const saved = await save(context, comparison.through.result);
    if (saved !== undefined) context.stdout.write(`  the picture is ${saved}\n`);
  }
  context.stdout.write(
    `\nCharges were counted by the provider: GET ${sandboxUrl}/ledger before and after each story.\n`,
  );
  return EXIT.ok;
}

/** One after the other, so that the bill's difference belongs to one of them. */
async function compare(
  { signal }: CliContext,
  story: Story,
  client: StockClient,
  gatewayUrl: string,
  sandboxUrl: string,
): Promise<Comparison> {
  if (signal.aborted) throw interrupted();
  const direct = await tell(story, client, `${sandboxUrl}/v1`, sandboxUrl);
  if (signal.aborted) throw interrupted();
  const through = await tell(story, client, gatewayUrl, sandboxUrl);
  return { story, direct, through };
}

function describe({ story, direct, through }: Comparison, context: CliContext): string {
  const table = columns(
    [
      ['', 'directly', 'through Onetake'],
      ['POSTs that reached the provider', String(direct.posts), String(through.posts)],
      ['pictures the provider charged', String(direct.charged), String(through.charged)],
      ['what the caller got', gotten(direct.result), gotten(through.result)],
    ],
    '  ',
  );
  const ends = `  directly: ${ending(direct)} / through Onetake: ${ending(through)}`;
  return `${heading(`${story.title} (${story.model})`, context.stdout, context)}\n${table}\n${ends}`;
}

function gotten(result: StockResult): string {
  if (result.ok) return 'the picture';
  if (result.code !== undefined) return `${result.status ?? ''} ${result.code}`.trim();
  return oneLine(result.message, 60);
}

function ending({ charged, posts, result }: Telling): string {
  if (result.ok) return `${count(charged, 'charge')}, the picture delivered to the retry`;
  if (result.code !== 'outcome_unknown') return `${count(charged, 'charge')}, no picture`;
  const again = posts === 1 ? 'no second payment' : count(posts, 'payment');
  return `${count(charged, 'possible charge')}, a clear outcome_unknown, ${again}`;
}

async function save({ cwd }: CliContext, result: StockResult): Promise<string | undefined> {
  if (!result.ok) return undefined;
  const picture = await verifyPicture(result.base64);
  const path = picturePath(resolve(cwd, PICTURE_FILE), picture.asset.type);
  await writeAtomically(path, picture.bytes);
  return relative(cwd, path);
}
