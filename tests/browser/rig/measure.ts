import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

/** Something a person with another way of reading or pointing cannot use. */
export interface Barrier {
  readonly rule: string;
  readonly impact: string;
  readonly help: string;
  /** CSS selectors of where it is, the first few. */
  readonly where: readonly string[];
}

const MAX_TOLD = 5;
const SERIOUS: readonly (string | null | undefined)[] = ['serious', 'critical'];

/** What axe-core finds serious or critical in what the page shows now. It is run past the policy, as devtools would. */
export async function findBarriers(page: Page): Promise<readonly Barrier[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)) as axe.AxeResults;
  return violations
    .filter(({ impact }) => SERIOUS.includes(impact))
    .map(({ id, impact, help, nodes }) => ({
      ...{ rule: id, impact: impact ?? '', help },
      where: nodes.slice(0, MAX_TOLD).map(({ target }) => target.join(' ')),
    }));
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  /** Of `dur`, what its thread ran and did not stand aside for other work of the machine. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string; readonly data?: { readonly nodes?: number } };
}

/** What a page's main thread did while something happened. */
export interface Measured {
  /** Durations of tasks over 50 ms, which is when people notice, longest first. */
  readonly longTasksMs: readonly number[];
  /** The most processor time that one task took: what is left of it on a machine that has nothing else to do. */
  readonly longestCpuMs: number;
  readonly tasks: number;
  /** The most nodes that were alive, as the browser counts them: those that wait for the collector too. */
  readonly mostNodes: number;
}

const LONG_TASK_MS = 50;
const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', '__metadata'];

/** Reads the browser's own trace of `act`; one at a time in a browser. */
export async function measureMainThread(page: Page, act: () => Promise<unknown>): Promise<Measured> {
  const browser = browserOf(page);
  await browser.startTracing(page, { categories: CATEGORIES });
  const failure = await act().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  // Stopped also when acting fails: the next trace could not begin.
  const trace = await browser.stopTracing();
  if (failure) throw failure.error;
  const { traceEvents: events } = JSON.parse(trace.toString('utf8')) as { readonly traceEvents: readonly TraceEvent[] };
  const mains = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const onMain = events.filter(({ pid, tid }) => mains.has(`${pid}/${tid}`));
  const runs = onMain.filter(({ name, ph }) => name === 'RunTask' && ph === 'X');
  const tasks = runs.map(({ dur = 0 }) => dur / 1000);
  return {
    longestCpuMs: Math.max(0, ...runs.map(({ tdur = 0 }) => tdur / 1000)),
    longTasksMs: tasks.filter((ms) => ms > LONG_TASK_MS).toSorted((a, b) => b - a),
    tasks: tasks.length,
    mostNodes: Math.max(0, ...onMain.map(({ args }) => args?.data?.nodes ?? 0)),
  };
}

function browserOf(page: Page): Browser {
  const browser = page.context().browser();
  if (browser === null) throw new Error('the page belongs to no browser that can be traced');
  return browser;
}

/** How many elements the document has now. */
export async function countElements(page: Page): Promise<number> {
  return Number(await page.evaluate(`document.querySelectorAll('*').length`));
}

/** What has moved by itself since the page opened: the sum of layout shifts that no key or click caused. */
export async function layoutShift(page: Page): Promise<number> {
  return Number(
    await page.evaluate(`new Promise((resolve) => {
      let sum = 0;
      const add = (list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value; };
      const observer = new PerformanceObserver(add);
      observer.observe({ type: 'layout-shift', buffered: true });
      requestAnimationFrame(() => setTimeout(() => { add({ getEntries: () => observer.takeRecords() }); resolve(sum); }));
    })`),
  );
}
