import { ADAPT_MUTANTS } from './adapt-mutants.ts';
import { ALERT_MUTANTS } from './alert-mutants.ts';
import { CHAT_BATCH_MUTANTS } from './chat-batch-mutants.ts';
import { CHAT_GATEWAY_MUTANTS } from './chat-gateway-mutants.ts';
import { CHAT_MUTANTS } from './chat-mutants.ts';
import { DASHBOARD_MUTANTS } from './dashboard-mutants.ts';
import { FREE_MUTANTS } from './free-mutants.ts';
import { GALLERY_MUTANTS } from './gallery-mutants.ts';
import { GALLERY_PAGE_MUTANTS } from './gallery-page-mutants.ts';
import { GATEWAY_MUTANTS } from './gateway-mutants.ts';
import { JOB_MUTANTS } from './job-mutants.ts';
import { LEDGER_STORE_MUTANTS } from './ledger-store-mutants.ts';
import { LIMIT_MUTANTS } from './limit-mutants.ts';
import { METRICS_MUTANTS } from './metrics-mutants.ts';
import { MONEY_GATEWAY_MUTANTS } from './money-gateway-mutants.ts';
import { MONEY_MUTANTS } from './money-mutants.ts';
import type { Mutant } from './mutant.ts';
import { OPERATOR_PAGE_MUTANTS } from './operator-page-mutants.ts';
import { PAGE_MUTANTS } from './page-mutants.ts';
import { REFUSAL_MUTANTS } from './refusal-mutants.ts';
import { REPEAT_MUTANTS } from './repeat-mutants.ts';
import { SUSPECT_MUTANTS } from './suspect-mutants.ts';
import { TELEMETRY_MUTANTS } from './telemetry-mutants.ts';

type CoreMutant = Omit<Mutant, 'package'>;

const DECIDE_TESTS = ['policy/decide.test.ts', 'policy/decide-callers.test.ts', 'policy/decide-gates.test.ts'];

const retry: readonly CoreMutant[] = [
  {
    name: 'waits without jitter',
    file: 'policy/retry.ts',
    from: 'Math.floor(fraction(seed) * ceiling)',
    to: 'Math.floor(ceiling)',
    tests: ['policy/retry.test.ts'],
  },
  {
    name: 'comes earlier than the provider said',
    file: 'policy/retry.ts',
    from: 'return Math.max(backoff, afterHint',
    to: 'return Math.min(backoff, afterHint',
    tests: ['policy/retry.test.ts'],
  },
  {
    name: 'starts with a doubled wait',
    file: 'policy/retry.ts',
    from: '2 ** Math.min(tries - 1, MAX_DOUBLINGS)',
    to: '2 ** Math.min(tries, MAX_DOUBLINGS)',
    tests: ['policy/retry.test.ts'],
  },
];

const breaker: readonly CoreMutant[] = [
  {
    name: 'counts results of an older state',
    file: 'policy/breaker.ts',
    from: 'if (given.generation !== state.generation) return state;',
    to: '',
    tests: ['policy/breaker.test.ts'],
  },
  {
    name: 'closes on an ignored probe',
    file: 'policy/breaker.ts',
    from: "{ ...state, phase: 'open', openUntil: now }",
    to: 'CLOSED',
    tests: ['policy/breaker-model.test.ts'],
  },
  {
    name: 'lets everybody through beside a probe',
    file: 'policy/breaker.ts',
    from: 'return lease > now ? Math.min(lease, now + PROBE_USUALLY_MS) : undefined;',
    to: 'return undefined;',
    tests: ['policy/breaker-model.test.ts'],
  },
  {
    name: 'opens for less than the provider asked',
    file: 'policy/breaker.ts',
    from: 'Math.max(now + Math.floor(openMs), cause.notBefore ?? 0)',
    to: 'now + Math.floor(openMs)',
    tests: ['policy/breaker.test.ts'],
  },
  {
    name: 'never doubles its opening',
    file: 'policy/breaker.ts',
    from: '2 ** Math.min(state.openings, 30)',
    to: '1',
    tests: ['policy/breaker.test.ts'],
  },
];

const budget: readonly CoreMutant[] = [
  {
    name: 'repeats a failed attempt under strict',
    file: 'policy/budget.ts',
    from: "return policy.payment !== 'strict';",
    to: 'return true;',
    tests: ['policy/budget.test.ts'],
  },
  {
    name: 'repeats a lost answer under standard',
    file: 'policy/budget.ts',
    from: "policy.payment === 'available' && failure.kind",
    to: "policy.payment !== 'strict' && failure.kind",
    tests: ['simulation.test.ts'],
  },
  {
    name: 'pays once more than allowed',
    file: 'policy/budget.ts',
    from: 'paid < policy.maxPaidAttempts',
    to: 'paid <= policy.maxPaidAttempts',
    tests: ['simulation.test.ts'],
  },
  {
    name: 'answers with a free failure after a paid one',
    file: 'policy/budget.ts',
    from: 'return paid?.outcome ?? outcome;',
    to: 'return outcome;',
    tests: ['simulation.test.ts'],
  },
];

const decide: readonly CoreMutant[] = [
  {
    name: 'takes another target after a partial picture',
    file: 'policy/decide.ts',
    from: ' && !run.partialSent',
    to: '',
    tests: DECIDE_TESTS,
  },
  {
    name: 'waits for a start that the deadline forbids',
    file: 'policy/decide.ts',
    from: 'chosen.at >= plan.deadlineAt',
    to: 'chosen.at > plan.deadlineAt',
    tests: DECIDE_TESTS,
  },
  {
    name: 'starts anew for a caller who was released',
    file: 'policy/decide.ts',
    from: 'run.attempts.some((attempt) => attempt.overdue)',
    to: 'run.attempts.length > 99',
    tests: DECIDE_TESTS,
  },
  {
    name: 'takes a crash for proof that nothing was sent',
    file: 'policy/run-failures.ts',
    from: "kind: 'interrupted',\n    certainty: 'ambiguous'",
    to: "kind: 'interrupted',\n    certainty: 'not_sent'",
    tests: ['simulation.test.ts'],
  },
  {
    name: 'spends the last payment where it just failed',
    file: 'policy/decide.ts',
    from: 'paymentsLeft > 1',
    to: 'paymentsLeft > 0',
    tests: DECIDE_TESTS,
  },
  {
    name: 'starts for a caller who left',
    file: 'policy/decide.ts',
    from: 'if (presence.absentSince !== undefined && !plan.unattended)',
    to: 'if (presence.absentSince === -1)',
    tests: ['policy/decide-callers.test.ts'],
  },
];

const run: readonly CoreMutant[] = [
  {
    name: 'sends before the start is durable',
    file: 'loop.ts',
    from: "await recorder.append({ type: 'attempt-started'",
    to: "recorder.record({ type: 'attempt-started'",
    tests: ['simulation.test.ts'],
  },
  {
    name: 'says of a canceled job that nothing was sent',
    file: 'loop.ts',
    from: "return { do: 'cancel', target, attempt: open };",
    to: "return { do: 'finish', outcome: CANCELED };",
    tests: ['job.test.ts'],
  },
  {
    name: 'sends after a deadline that passed meanwhile',
    file: 'exchange.ts',
    from: 'io.now() >= options.deadlineAt',
    to: 'io.now() < 0',
    tests: ['simulation.test.ts'],
  },
  {
    name: 'drops a late picture although nothing may follow it',
    file: 'attempt.ts',
    from: "clock !== 'total' && mayPayAgain",
    to: 'mayPayAgain',
    tests: ['run.test.ts'],
  },
  {
    name: 'drops a whole picture when its stream breaks off',
    file: 'attempt.ts',
    from: "if (brought?.kind !== 'done')",
    to: 'if (brought !== null)',
    tests: ['run.test.ts'],
  },
  {
    name: 'takes a lost job for one that did no work',
    file: 'job.ts',
    from: "    kind,\n    certainty: 'ambiguous',",
    to: "    kind,\n    certainty: 'rejected',",
    tests: ['run.test.ts'],
  },
];

const health: readonly CoreMutant[] = [
  {
    name: 'never closes a refused credential',
    file: 'health.ts',
    from: "verdictOf(outcome, 'credential')",
    to: "{ result: 'ignored' }",
    tests: ['health.test.ts'],
  },
  {
    name: 'lets a short hint end a long one',
    file: 'gates.ts',
    from: '(known?.notBefore ?? 0) > (told.notBefore ?? 0)',
    to: '(known?.notBefore ?? 0) < (told.notBefore ?? 0)',
    tests: ['health.test.ts'],
  },
];

const core = [...retry, ...breaker, ...budget, ...decide, ...run, ...health].map(
  (one): Mutant => ({ package: 'core', ...one }),
);

export const MUTANTS: readonly Mutant[] = [
  ...core,
  ...LIMIT_MUTANTS,
  ...JOB_MUTANTS,
  ...GATEWAY_MUTANTS,
  ...GALLERY_MUTANTS,
  ...GALLERY_PAGE_MUTANTS,
  ...CHAT_GATEWAY_MUTANTS,
  ...ADAPT_MUTANTS,
  ...FREE_MUTANTS,
  ...REFUSAL_MUTANTS,
  ...SUSPECT_MUTANTS,
  ...REPEAT_MUTANTS,
  ...LEDGER_STORE_MUTANTS,
  ...MONEY_MUTANTS,
  ...METRICS_MUTANTS,
  ...MONEY_GATEWAY_MUTANTS,
  ...CHAT_MUTANTS,
  ...CHAT_BATCH_MUTANTS,
  ...PAGE_MUTANTS,
  ...TELEMETRY_MUTANTS,
  ...ALERT_MUTANTS,
  ...DASHBOARD_MUTANTS,
  ...OPERATOR_PAGE_MUTANTS,
];
