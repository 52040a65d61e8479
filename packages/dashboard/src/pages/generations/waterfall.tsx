import { duration, usd } from '../../ui/format.ts';
import { Badge, type Tone } from '../../ui/layout.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { type Lane, type Lanes, type Segment, STAGE_WORDS, type Stage, ticksOf } from './lanes.ts';
import './waterfall.css';

const OUTCOMES: Readonly<Record<Lane['outcome'], readonly [Tone, string]>> = {
  ...{ ok: ['good', 'ok'], failed: ['bad', 'failed'], running: ['info', 'running'], none: ['plain', ''] },
};

/** What happened when, drawn on one axis; a table says the same to who does not see it. */
export function Waterfall({ lanes }: { readonly lanes: Lanes }) {
  const { rows, spanMs, runs } = lanes;
  const stages = [...new Set(rows.flatMap(({ segments }) => segments.map(({ stage }) => stage)))];
  return (
    <div className="waterfall">
      <div className="waterfall-drawing" aria-hidden="true">
        <Axis spanMs={spanMs} />
        {rows.map((lane) => (
          <Row key={lane.key} lane={lane} spanMs={spanMs} runs={runs} />
        ))}
      </div>
      <Legend stages={stages} />
      <details className="waterfall-twin">
        <summary>The same as a table</summary>
        <Table label="Attempts and waits" columns={columnsFor(runs)} rows={rows} keyOf={({ key }) => key} />
      </details>
    </div>
  );
}

function Axis({ spanMs }: { readonly spanMs: number }) {
  return (
    <div className="waterfall-axis">
      <span className="waterfall-name muted">from its arrival</span>
      <span className="waterfall-ticks">
        {ticksOf(spanMs).map((ms) => (
          <span key={ms} className="waterfall-tick" style={{ left: `${(ms / spanMs) * 100}%` }}>
            {duration(ms)}
          </span>
        ))}
      </span>
    </div>
  );
}

function Row({ lane, spanMs, runs }: { readonly lane: Lane; readonly spanMs: number; readonly runs: number }) {
  const { kind, target, words, overdueMs, segments } = lane;
  return (
    <div className="waterfall-row">
      <div className="waterfall-name">
        <strong>{nameOf(lane, runs)}</strong>
        {target !== undefined && <span className="muted mono waterfall-target">{target}</span>}
      </div>
      <div className="waterfall-track">
        {segments.map((one) => (
          <Bar key={`${one.stage} ${one.fromMs}`} segment={one} spanMs={spanMs} outcome={lane.outcome} />
        ))}
        {overdueMs !== undefined && (
          <span
            className="waterfall-overdue"
            style={{ left: `${(overdueMs / spanMs) * 100}%` }}
            title={`a clock ended the wait after ${duration(overdueMs)}`}
          />
        )}
      </div>
      <div className="waterfall-words">
        <Verdict lane={lane} />
        <span className={kind === 'attempt' ? '' : 'muted'}>{words}</span>
      </div>
    </div>
  );
}

function Bar(props: { readonly segment: Segment; readonly spanMs: number; readonly outcome: Lane['outcome'] }) {
  const { segment, spanMs, outcome } = props;
  const { stage, fromMs, toMs, isOpen } = segment;
  const name = `waterfall-bar waterfall-${stage}${isOpen ? ' waterfall-open' : ''}${outcome === 'failed' ? ' waterfall-bad' : ''}`;
  return (
    <span
      className={name}
      style={{ left: `${(fromMs / spanMs) * 100}%`, width: `${((toMs - fromMs) / spanMs) * 100}%` }}
      title={`${STAGE_WORDS[stage]}: ${duration(toMs - fromMs)}`}
    />
  );
}

function Verdict({ lane: { outcome, certainty, billed } }: { readonly lane: Lane }) {
  const [tone, word] = OUTCOMES[outcome];
  return (
    <>
      {word !== '' && <Badge tone={tone}>{word}</Badge>}
      {certainty !== undefined && <Badge tone={certainty === 'ambiguous' ? 'warn' : 'plain'}>{certainty}</Badge>}
      {billed !== undefined && (
        <Badge tone={billed === 'maybe' ? 'warn' : billed === 'yes' ? 'info' : 'plain'}>billed: {billed}</Badge>
      )}
    </>
  );
}

function Legend({ stages }: { readonly stages: readonly Stage[] }) {
  return (
    <ul className="waterfall-legend muted" aria-hidden="true">
      {stages.map((stage) => (
        <li key={stage}>
          <span className={`waterfall-key waterfall-${stage}`} /> {STAGE_WORDS[stage]}
        </li>
      ))}
    </ul>
  );
}

function nameOf({ kind, attempt, run }: Lane, runs: number): string {
  const of = runs > 1 ? `run ${run + 1}, ` : '';
  if (kind === 'attempt') return `${of}attempt ${attempt}`;
  return kind === 'wait' ? `${of}waits` : `${of}passes over`;
}

function columnsFor(runs: number): readonly Column<Lane>[] {
  return [
    { head: 'What', cell: (lane) => nameOf(lane, runs) },
    { head: 'Target', cell: ({ target }) => target ?? '–' },
    { head: 'From', cell: ({ fromMs }) => duration(fromMs), isNumber: true },
    { head: 'Lasted', cell: ({ fromMs, toMs }) => duration(toMs - fromMs), isNumber: true },
    {
      head: 'Of it',
      cell: ({ segments }) =>
        segments.map(({ stage, fromMs, toMs }) => `${STAGE_WORDS[stage]} ${duration(toMs - fromMs)}`).join(', ') || '–',
    },
    { head: 'Outcome', cell: ({ outcome, words }) => `${OUTCOMES[outcome][1]} ${words}`.trim() },
    { head: 'Certainty', cell: ({ certainty }) => certainty ?? '–' },
    { head: 'Billed', cell: ({ billed }) => billed ?? '–' },
    { head: 'Spent', cell: ({ spentUsd }) => (spentUsd === undefined ? '–' : usd(spentUsd)), isNumber: true },
  ];
}
