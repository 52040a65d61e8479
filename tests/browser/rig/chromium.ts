import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sparticuz, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

/** The browser of a suite, or why there is none. Pass `skip` to every test, so that a run without a browser says so. */
export interface LaunchedBrowser {
  readonly skip: string | false;
  /** Throws where there is none. */
  browser(): Browser;
  close(): Promise<void>;
}

/** What a machine without a GPU, or a container without privileges, needs; site isolation and web security stay on. */
const ARGS = [
  ...['--no-sandbox', '--disable-setuid-sandbox', '--no-zygote', '--no-pings', '--disable-domain-reliability'],
  ...['--ignore-gpu-blocklist', '--in-process-gpu', '--use-gl=angle', '--use-angle=swiftshader'],
  ...['--enable-unsafe-swiftshader', '--font-render-hinting=none'],
];
const LAUNCH_MS = 30_000;
/** Another suite may be unpacking the same file this moment. */
const MAX_TRIES = 4;
const MISSING_LIBRARIES = /error while loading shared libraries/;

/**
 * The Chromium at CHROMIUM_PATH, or else the one that npm brought. Where the machine lacks its libraries, those that came
 * with it are used. Without one the suite is skipped, and says so on stderr.
 */
export async function launchBrowser(): Promise<LaunchedBrowser> {
  try {
    const browser = await launch();
    return { skip: false, browser: () => browser, close: () => browser.close() };
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).slice(0, 1500);
    const skip = `NO BROWSER, NOTHING OF THE PAGE IS TESTED: ${why}; set CHROMIUM_PATH to a Chromium`;
    process.stderr.write(`\n*** ${skip} ***\n\n`);
    const browser = () => {
      throw new Error(skip);
    };
    return { skip, browser, close: async () => {} };
  }
}

async function launch(): Promise<Browser> {
  const told = process.env.CHROMIUM_PATH;
  const executablePath = told || (await sparticuz.executablePath());
  let libraries: string | undefined;
  for (let tries = 1; ; tries += 1) {
    try {
      const env = environment(libraries);
      return await chromium.launch({ executablePath, args: ARGS, env, timeout: LAUNCH_MS });
    } catch (error) {
      if (told || tries >= MAX_TRIES || !existsSync(executablePath)) throw error;
      if (MISSING_LIBRARIES.test(String(error))) libraries ??= await unpackLibraries();
      else await pause(1000);
    }
  }
}

/** Of what npm brought: the libraries Chromium is linked with. */
async function unpackLibraries(): Promise<string> {
  const directory = join(tmpdir(), 'al2023', 'lib');
  if (!existsSync(directory))
    await inflate(fileURLToPath(new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium'))));
  return directory;
}

function environment(libraries: string | undefined): Record<string, string> {
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
  // A machine that never had a screen has no fonts, and text without a width is laid out as nothing.
  if (!existsSync('/etc/fonts/fonts.conf')) env.FONTCONFIG_PATH ??= join(tmpdir(), 'fonts');
  env.HOME ??= tmpdir();
  if (libraries !== undefined) env.LD_LIBRARY_PATH = [libraries, env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return env;
}
