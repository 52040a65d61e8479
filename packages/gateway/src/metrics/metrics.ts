import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Signal } from '../signals/signals.ts';
import { countedMetrics } from './counted.ts';
import { countSignals } from './counting.ts';
import { createLabelBound } from './label-bound.ts';
import { createLook, type Looked } from './looking.ts';
import { createMaker, type Family } from './maker.ts';
import { standingMetrics } from './standing.ts';

/** What `GET /metrics` tells, in the words of Prometheus. All of it is prefixed `onetake_`, and every label bounded. */
export interface Metrics {
  /** What to pass every signal to. */
  readonly listen: (signal: Signal) => void;
  /** Counts an answer of the gateway; `route` is the path with its parameters' names in their places. */
  answered(answer: HttpAnswered): void;
  /** Where to look for what stands; until it is told, that is left out of what is read. */
  lookAt(source: () => Looked): void;
  /** Looks, and tells everything in the text format of Prometheus. */
  read(): Promise<string>;
  /** The same as data, named as prom-client's registries name it. */
  getMetricsAsJSON(): Promise<readonly MetricData[]>;
  /** Of what `read` resolves with. */
  readonly contentType: string;
  /** All of ours; those of the process come on top. */
  readonly families: readonly Family[];
}

/** A metric with all its series, as prom-client's registry tells it. */
export type MetricData = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];

export interface HttpAnswered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  /** Why nobody was asked for it, if so. */
  readonly by?: 'cache' | 'attached' | 'idempotency';
}

export interface MetricsOptions {
  readonly version: string;
  /** Targets that keep their names however many others were seen before. */
  readonly targets: readonly string[];
}

/** Of each label, beyond which values are `other`: callers can name as many models as they like. */
const MAX_TARGETS = 100;
const MAX_CODES = 60;
const MAX_METHODS = 10;
const MAX_ROUTES = 150;

export function createMetrics({ version, targets }: MetricsOptions): Metrics {
  const register = new Registry();
  const maker = createMaker(register);
  const [counted, shown] = [countedMetrics(maker), standingMetrics(maker)];
  shown.build.set({ version, node: process.versions.node }, 1);
  const target = createLabelBound(MAX_TARGETS, targets);
  const [method, route] = [createLabelBound(MAX_METHODS), createLabelBound(MAX_ROUTES)];
  const look = createLook(shown, target);
  let ofProcess: (() => void) | undefined = () => addProcessMetrics(register);
  let source: (() => Looked) | undefined;

  async function lookNow(): Promise<void> {
    // They watch the event loop and the collector from here on, which only who is asked for them need pay.
    ofProcess?.();
    ofProcess = undefined;
    if (source) await look(source());
  }

  return {
    listen: countSignals(counted, { target, code: createLabelBound(MAX_CODES) }),
    answered({ method: asked, route: path, status, by }) {
      counted.http.inc({ method: method(asked), route: route(path), status: String(status) });
      if (by) counted.answeredBefore.inc({ by });
    },
    lookAt(told) {
      source = told;
    },
    async read() {
      await lookNow();
      return register.metrics();
    },
    async getMetricsAsJSON() {
      await lookNow();
      return register.getMetricsAsJSON();
    },
    contentType: register.contentType,
    families: maker.made,
  };
}

/** Gauges whose names say that they are counters; what they tell is told by type beside them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

function addProcessMetrics(register: Registry): void {
  collectDefaultMetrics({ register, prefix: 'onetake_' });
  for (const name of MISNAMED) register.removeSingleMetric(`onetake_${name}`);
}
