import {
  type CharTest,
  casesOf,
  PatternError,
  type PatternNode,
  type PlaceTest,
  parsePattern,
} from './pattern-syntax.ts';

/**
 * A regular expression that cannot stall the process. It is run as a set of places in the pattern, moved over the text
 * once (Thompson 1968, with Pike's order of preference): time is at most the length of the text times the number of
 * states, whatever the pattern, `(a+)+$` included. So repetitions may nest; what is bounded is the length, the states
 * after counted repetitions are written out, and the steps of a search.
 */
export interface Pattern {
  readonly source: string;
  readonly states: readonly State[];
  /** What a match can begin with: elsewhere nothing is tried. */
  readonly canStart: CharTest;
}

type State =
  | { readonly do: 'take'; readonly test: CharTest }
  | { readonly do: 'assert'; readonly test: PlaceTest }
  | { readonly do: 'fork'; readonly to: readonly [preferred: number, other: number] }
  | { readonly do: 'jump'; readonly to: number }
  | { readonly do: 'match' };

export const MAX_STATES = 400;
const ASCII = 128;

/** Throws a `PatternError` that says what is wrong with it. */
export function compilePattern(source: string): Pattern {
  const states: State[] = [];
  emit(parsePattern(source), states);
  push(states, { do: 'match' });
  return { source, states, canStart: startOf(states) };
}

function push(states: State[], state: State): number {
  if (states.length >= MAX_STATES)
    throw new PatternError(`with its repetitions written out it has more than ${MAX_STATES} states; repeat less`);
  return states.push(state) - 1;
}

function emit(node: PatternNode, states: State[]): void {
  switch (node.kind) {
    case 'take':
    case 'assert':
      push(states, node.kind === 'take' ? { do: 'take', test: node.test } : { do: 'assert', test: node.test });
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, states);
      return;
    case 'choice':
      emitChoice(node.options, states);
      return;
    case 'repeat':
      emitRepeat(node, states);
  }
}

function emitChoice(options: readonly PatternNode[], states: State[]): void {
  const ends: number[] = [];
  for (const option of options.slice(0, -1)) {
    const fork = push(states, { do: 'match' });
    emit(option, states);
    ends.push(push(states, { do: 'match' }));
    states[fork] = { do: 'fork', to: [fork + 1, states.length] };
  }
  for (const last of options.slice(-1)) emit(last, states);
  for (const end of ends) states[end] = { do: 'jump', to: states.length };
}

function emitRepeat({ body, min, max, lazy }: Extract<PatternNode, { kind: 'repeat' }>, states: State[]): void {
  const fork = (at: number, out: number): State => ({ do: 'fork', to: lazy ? [out, at + 1] : [at + 1, out] });
  for (let count = 0; count < min; count += 1) emit(body, states);
  if (max === Number.POSITIVE_INFINITY) {
    const loop = push(states, { do: 'match' });
    emit(body, states);
    push(states, { do: 'jump', to: loop });
    states[loop] = fork(loop, states.length);
    return;
  }
  const exits: number[] = [];
  for (let count = min; count < max; count += 1) {
    exits.push(push(states, { do: 'match' }));
    emit(body, states);
  }
  for (const exit of exits) states[exit] = fork(exit, states.length);
}

function startOf(states: readonly State[]): CharTest {
  const seen = new Set<number>([0]);
  // A set is walked in the order of its insertion, what is added on the way included.
  for (const at of seen) {
    const state = states[at];
    if (state?.do === 'assert') seen.add(at + 1);
    if (state?.do === 'jump') seen.add(state.to);
    if (state?.do === 'fork') for (const to of state.to) seen.add(to);
  }
  const tests = [...seen].flatMap((at) => {
    const state = states[at];
    return state?.do === 'take' ? [state.test] : [];
  });
  const canStart: CharTest = (lower, upper) => tests.some((test) => test(lower, upper));
  const ascii = Array.from({ length: ASCII }, (_, code) => canStart(...casesOf(String.fromCharCode(code))));
  return (lower, upper) => (lower < ASCII && upper < ASCII ? ascii[upper] === true : canStart(lower, upper));
}

/** A text made ready for any number of searches: its code points in both cases, and where each begins. */
export interface PreparedText {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  /** UTF-16 offsets, with the end of the text as the last. */
  readonly offsets: readonly number[];
}

export function prepareText(text: string): PreparedText {
  const [lower, upper, offsets]: [number[], number[], number[]] = [[], [], []];
  let offset = 0;
  for (const char of text) {
    const [small, large] = casesOf(char);
    lower.push(small);
    upper.push(large);
    offsets.push(offset);
    offset += char.length;
  }
  offsets.push(offset);
  return { lower, upper, offsets };
}

/** Steps that are left to the searches of one check. */
export interface StepBudget {
  left: number;
}

export interface Span {
  /** UTF-16 offsets; `end` is behind the last. */
  readonly start: number;
  readonly end: number;
}

/** The first match that begins at or behind `from`, a UTF-16 offset; `exhausted` when the steps ran out before the answer. */
export function findPattern(
  pattern: Pattern,
  text: PreparedText,
  budget: StepBudget,
  from = 0,
): Span | 'exhausted' | undefined {
  const first = text.offsets.findIndex((offset) => offset >= from);
  const found = first < 0 ? undefined : search(pattern, text, budget, first);
  if (budget.left < 0) return 'exhausted';
  if (found === undefined) return undefined;
  return { start: text.offsets[found.start] ?? 0, end: text.offsets[found.end] ?? 0 };
}

interface Thread {
  readonly state: number;
  readonly start: number;
}

function search({ states, canStart }: Pattern, text: PreparedText, budget: StepBudget, from: number) {
  const { lower, upper } = text;
  const walk = walker(states, text, budget);
  let threads: Thread[] = [];
  let found: (Thread & { readonly end: number }) | undefined;
  for (let at = from; at <= lower.length && budget.left >= 0; at += 1) {
    const [small = -1, large = -1] = [lower[at], upper[at]];
    budget.left -= 1;
    if (found === undefined && small >= 0 && canStart(small, large)) walk({ state: 0, start: at }, at, threads);
    if (threads.length === 0) {
      if (found) break;
      walk.turn();
      continue;
    }
    const next: Thread[] = [];
    walk.turn();
    for (const thread of threads) {
      const state = states[thread.state];
      if (state?.do === 'match') {
        found = { ...thread, end: at };
        break;
      }
      if (state?.do !== 'take' || at >= lower.length || !state.test(small, large)) continue;
      walk({ state: thread.state + 1, start: thread.start }, at + 1, next);
    }
    threads = next;
  }
  return found;
}

/** Follows forks, jumps and boundaries from a state to those that take a character; each state once per place. */
function walker(states: readonly State[], { lower }: PreparedText, budget: StepBudget) {
  let turn = 1;
  const seen = new Uint32Array(states.length);
  const walk = (thread: Thread, at: number, into: Thread[]): void => {
    const stack = [thread.state];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (seen[index] === turn) continue;
      seen[index] = turn;
      budget.left -= 1;
      const state = states[index];
      if (state?.do === 'fork') stack.push(state.to[1], state.to[0]);
      else if (state?.do === 'jump') stack.push(state.to);
      else if (state?.do === 'assert') {
        if (state.test(lower[at - 1], lower[at])) stack.push(index + 1);
      } else into.push({ state: index, start: thread.start });
    }
  };
  return Object.assign(walk, {
    turn: () => {
      turn += 1;
    },
  });
}
