import { defects, type Mutant } from './mutant.ts';

const ADMISSION = ['policy/admission.test.ts'];
const LIMITS = ['policy/limits.test.ts', 'policy/ceiling.test.ts', 'policy/learned-limits.test.ts'];

const admission = defects('core', 'policy/admission.ts', ADMISSION, [
  [
    'takes from one limit what another refuses',
    'return { admitted: false, state, until: Math.max(',
    'return { admitted: false, state: committed(state, inForce, { id, at, ...units }), until: Math.max(',
  ],
  [
    'comes right at the end of a window',
    'const windowMs = rate.windowMs + guardMs(rate.windowMs, state.lateMs);',
    'const windowMs = rate.windowMs;',
  ],
  ['meets an unknown provider with all that waits', 'calls < OPENING_CALLS', 'calls < OPENING_CALLS * 99'],
  ['never ends its opening', 'at - first >= OPENING_MS', 'at - first < 0'],
  [
    'has one more in flight than it may',
    'ends.length + lagging.length < allowed',
    'ends.length + lagging.length <= allowed',
  ],
  ['holds places for the dead', 'state.permits.filter((one) => one.until > at).map', 'state.permits.map'],
  ['takes tokens that nobody estimated for none', 'Math.max(1, Math.ceil(tokens / requests))', '1'],
  ['revives places in flight of the process before', '{ ...state, permits: [] }', 'state'],
]);

const search = defects('core', 'policy/admission.ts', LIMITS, [
  [
    'searches with many calls at once',
    'search.probe ? search.probe.at + presumedMs(state) : search.nextProbeAt',
    'search.nextProbeAt',
  ],
  ['sends all at once where even spacing is wanted', 'smooth: spaced(state, inForce, call),', 'smooth: state.smooth,'],
  ['starts slowly only a moment later', 'at - rampFrom + 1, at)', 'at - rampFrom, at)'],
  ['fills a guessed window without a slow start', 'used === 0 || used + need <= allowed', 'used >= 0'],
]);

const state = defects('core', 'policy/limit-state.ts', ADMISSION, [
  ['is locked out by a clock that was set back', 'behind <= MAX_SKEW_MS', 'behind <= Number.POSITIVE_INFINITY'],
]);

const window = defects(
  'core',
  'policy/sliding-window.ts',
  [...ADMISSION, 'policy/sliding-window.test.ts'],
  [
    ['lets a use leave its window early', 'use[1] <= now - windowMs) break', 'use[1] <= now - windowMs / 2) break'],
    ['keeps a use in its window for longer', 'return use[1] + windowMs;', 'return use[1] + windowMs + 1;'],
    ['counts merged uses at the earlier instant', '    after[1],\n    before[2]', '    before[1],\n    before[2]'],
    ['admits at once what no window can hold', 'Math.min(need, count) - count', 'need - count'],
    ['takes back what others used beside it', 'use[2] - units.requests,', '0,'],
    ['forgets the uses of another node', 'let log: UseLog = [...one, ...other]', 'let log: UseLog = [...one]'],
  ],
);

const fair = defects(
  'core',
  'policy/fair-queue.ts',
  ['policy/fair-queue.test.ts'],
  [
    [
      'lets an idle lane save up',
      'Math.max(queue.virtualTime, queue.lanes.get(lane) ?? 0);',
      'queue.lanes.get(lane) ?? 0;',
    ],
    [
      'serves in the order of arrival',
      'Math.max(queue.virtualTime, queue.lanes.get(lane) ?? 0);',
      'queue.virtualTime;',
    ],
    ['weighs batch like interactive', "priority === 'batch' ? BATCH_WEIGHT : 1", '1'],
    ['counts requests, whatever they cost', 'tag + weighed, maxLanes', 'tag + 1, maxLanes'],
    ['sets virtual time back', 'queue.virtualTime = Math.max(queue.virtualTime, tag);', 'queue.virtualTime = tag;'],
    [
      'lets newcomers pass all that waits in the store',
      'queue.virtualTime = Math.max(queue.virtualTime, head.tag);',
      '',
    ],
    ['forgets what a lane has waiting', 'Math.max(queue.lanes.get(lane) ?? 0, lastFinish)', '0'],
  ],
);

const limits = defects(
  'core',
  'policy/limits.ts',
  [...ADMISSION, ...LIMITS],
  [
    [
      'keeps what was never sent',
      'const uses = takenBack(state.uses, admitted.at, admitted);',
      'const uses = state.uses;',
    ],
    ['takes a probe that was given back for an accepted one', 'search?.probe?.id !== call.id', 'search !== null'],
    [
      'counts a call from its admission, not from its leaving',
      'admitted), now, admitted, Number',
      'admitted), admitted.at, admitted, Number',
    ],
    [
      'counts what was refused as used',
      'const uses = takenBack(before.uses, call.at, call);',
      'const uses = before.uses;',
    ],
    ['reopens at a shorter hint', ' || notBefore <= (state.closed?.until ?? 0)', ''],
    ['settles tokens by the estimate', 'tokens: call.tokens - tokens }', 'tokens: 0 }'],
    ['lets pauses grow beyond an acceptance', 'tokens), pauseMs: 0 }', 'tokens) }'],
    ['takes a lone refusal for one of calls in flight', 'others === 0 || state.search', 'state.search'],
  ],
);

const renewal = defects(
  'core',
  'policy/limits.ts',
  ['pacer-cells.test.ts'],
  [['forgets calls that go on', 'ids.has(one.id) ? { ...one, until } : one', 'one']],
);

const ceiling = defects('core', 'policy/ceiling.ts', LIMITS, [
  ['lowers its ceiling for every refusal of a burst', 'if (call.at < state.decidedAt) {', 'if (call.at < 0) {'],
  ['lowers its ceiling to nothing', 'Math.max(1, others)', 'others'],
  ['never pauses for longer', 'state.pauseMs * 2', 'state.pauseMs'],
  [
    'raises its ceiling beyond what is configured',
    ' || ceiling.climb.count >= (allowed ?? Number.POSITIVE_INFINITY)',
    '',
  ],
  [
    'doubts what the provider told after a minute',
    "source === 'refusals' || source === 'guess' ? FOUND : TOLD",
    'FOUND',
  ],
  ['lets a call go before the provider counts it out', 'ceiling: { ...kept, lagMs: LAG_MS }', 'ceiling: kept'],
]);

const climb = defects('core', 'policy/climb.ts', LIMITS, [
  [
    'tries again as soon as before',
    'Math.min(Math.max(climb.periodMs, pace.periodMs) * 2, pace.maxPeriodMs)',
    'pace.periodMs',
  ],
  ['raises at once', 'now - climb.changedAt < climb.periodMs', 'now < 0'],
]);

const learned = defects('core', 'policy/learned-limits.ts', LIMITS, [
  [
    'learns nothing from a refused probe',
    'if (state.search) return searchedOn(state, state.search, call, now);',
    'if (state.search) return state;',
  ],
  [
    'corrects once per refusal of a burst',
    'if (call.at < state.decidedAt) return concerned',
    'if (call.at < 0) return concerned',
  ],
  ['sees lateness and comes no later', 'lateMs: (call.at - windowMs - use[1]) * 1.5', 'lateMs: 0'],
  ['wants nothing spaced evenly', '[dimension]: call.at } };', '} };'],
  [
    'keeps guesses beside the provider’s words',
    "state.rates.filter((one) => one.source !== 'refusals')",
    'state.rates',
  ],
  [
    'keeps a ceiling that was a rate',
    "ceiling && (ceiling.source === 'headers' || ceiling.source === 'words')",
    'ceiling',
  ],
  [
    'holds on to a rate that its own proof was refused under',
    'if (shown) return searched(',
    'if (shown && now < 0) return searched(',
  ],
]);

const windows = defects('core', 'policy/window-search.ts', LIMITS, [
  ['waits for a day that it only guessed', 'MIN_PAUSE_MS), MAX_PAUSE_MS)', 'MIN_PAUSE_MS), Number.POSITIVE_INFINITY)'],
  ['takes the meanest explanation', 'return used + refusal[dimension] - 1;', 'return used + refusal[dimension] - 2;'],
]);

export const LIMIT_MUTANTS: readonly Mutant[] = [
  ...admission,
  ...search,
  ...state,
  ...window,
  ...fair,
  ...limits,
  ...renewal,
  ...ceiling,
  ...climb,
  ...learned,
  ...windows,
];
