import type { Mutant } from './mutant.ts';

const LEDGER = ['ledger.test.ts', 'cost.test.ts', 'chat-cost.test.ts'];
const GATES = ['run-gates.test.ts'];
const SPEND = ['spend.test.ts', 'money-properties.test.ts'];
const PRICE = ['price.test.ts'];
const HEADERS = ['told-headers.test.ts'];

/** What an attempt cost, what is held before it, and what of the answer's headers is kept. */
const core: readonly Omit<Mutant, 'package'>[] = [
  {
    name: 'books what did no work',
    file: 'attempt-cost.ts',
    from: 'if (attempt.free || didNoWork(attempt.outcome)) return NOTHING;',
    to: 'if (attempt.free) return NOTHING;',
    tests: LEDGER,
  },
  {
    name: 'books what is free',
    file: 'attempt-cost.ts',
    from: 'if (attempt.free || didNoWork(attempt.outcome)) return NOTHING;',
    to: 'if (didNoWork(attempt.outcome)) return NOTHING;',
    tests: LEDGER,
  },
  {
    name: 'takes an unknown price for nothing',
    file: 'attempt-cost.ts',
    from: "{ microUsd: null, priced: 'unknown' }",
    to: "{ microUsd: 0, priced: 'unknown' }",
    tests: LEDGER,
  },
  {
    name: 'believes its table before the provider',
    file: 'attempt-cost.ts',
    from: 'if (outcome?.ok && outcome.costUsd !== undefined)',
    to: 'if (outcome?.ok && outcome.costUsd === -1)',
    tests: LEDGER,
  },
  {
    name: 'forgets the date of its table',
    file: 'attempt-cost.ts',
    from: "asOf === undefined ? 'table'",
    to: "asOf !== undefined ? 'table'",
    tests: LEDGER,
  },
  {
    name: 'calls the same target again a fallback',
    file: 'ledger.ts',
    from: "target === first ? 'retry' : 'fallback'",
    to: "target === first ? 'fallback' : 'retry'",
    tests: LEDGER,
  },
  {
    name: 'spends what may not be billed',
    file: 'ledger.ts',
    from: 'spentMicroUsd: isCertain ? cost.microUsd : 0,',
    to: 'spentMicroUsd: cost.microUsd,',
    tests: LEDGER,
  },
  {
    name: 'loses a run that was refused before it was sent',
    file: 'ledger.ts',
    from: 'return run.finished ? [withoutAttempt(plan, run, run.finished, index)] : [];',
    to: 'return [];',
    tests: LEDGER,
  },
  {
    name: 'keeps a whole message in the ledger',
    file: 'ledger.ts',
    from: 'message: message.slice(0, MAX_MESSAGE_CHARS)',
    to: 'message',
    tests: LEDGER,
  },
  {
    name: 'tells pictures’ codes of chat',
    file: 'ledger.ts',
    from: 'return isChatPlan(plan) ?',
    to: 'return !isChatPlan(plan) ?',
    tests: LEDGER,
  },
  {
    name: 'holds the next attempt alone',
    file: 'spend.ts',
    from: 'const all = [...before, {',
    to: 'const all = [{',
    tests: SPEND,
  },
  {
    name: 'holds one picture of several',
    file: 'spend.ts',
    from: 'requestAt(target, plan), plan.request.n)',
    to: 'requestAt(target, plan), 1)',
    tests: SPEND,
  },
  {
    name: 'holds nothing for an unknown price',
    file: 'spend.ts',
    from: 'if (price === undefined) return undefined;',
    to: 'if (price === undefined) return 0;',
    tests: SPEND,
  },
  {
    name: 'asks for the same money for ever',
    file: 'run-gates.ts',
    from: 'own.unaffordable.set(target.id, failure);',
    to: '',
    tests: GATES,
  },
  {
    name: 'asks for money once for all attempts',
    file: 'run-gates.ts',
    from: 'if (own.afforded === next) return true;',
    to: 'if (own.afforded !== undefined) return true;',
    tests: GATES,
  },
  {
    name: 'asks for money again at every look',
    file: 'run-gates.ts',
    from: 'own.afforded = next;',
    to: '',
    tests: GATES,
  },
  {
    name: 'asks for money for what is free',
    file: 'run-gates.ts',
    from: 'environment.afford === undefined || target.free',
    to: 'environment.afford === undefined',
    tests: GATES,
  },
  {
    name: 'takes its place in the queue before its money',
    file: 'loop.ts',
    from: 'if (!(await isAfforded(target, step))) return;',
    to: '',
    tests: ['simulation.test.ts'],
  },
  {
    name: 'calls a budget that is too small trouble of the target',
    file: 'policy/decide.ts',
    from: 'if (unaffordable) return failed(unaffordable.failure);',
    to: '',
    tests: ['policy/decide-gates.test.ts'],
  },
  {
    name: 'takes the last row of a table',
    file: 'price.ts',
    from: 'return rows.find(',
    to: 'return rows.findLast(',
    tests: PRICE,
  },
  {
    name: 'gives the rest of a megapixel away',
    file: 'price.ts',
    from: 'Math.ceil((sides.width',
    to: 'Math.floor((sides.width',
    tests: PRICE,
  },
  {
    name: 'forgets what goes in',
    file: 'price.ts',
    from: 'references * (referenceTokens ?? 0) * prices.imageInput +',
    to: '',
    tests: PRICE,
  },
  {
    name: 'keeps a header that may hold a secret',
    file: 'told-headers.ts',
    from: 'rank >= 0 && !isSecret(name, value)',
    to: 'rank >= 0',
    tests: HEADERS,
  },
  {
    name: 'keeps headers without end',
    file: 'told-headers.ts',
    from: ' || chars + size > MAX_CHARS',
    to: '',
    tests: ['journaled-headers.test.ts'],
  },
  {
    name: 'keeps a key in a header',
    file: 'told-headers.ts',
    from: 'presentable(value).slice',
    to: 'value.slice',
    tests: HEADERS,
  },
  {
    name: 'keeps our own key in the headers of an answer that broke off',
    file: 'conversation.ts',
    from: ': withoutSecret(done, credential.secret);',
    to: ': done;',
    tests: ['journaled-headers.test.ts'],
  },
];

export const MONEY_MUTANTS: readonly Mutant[] = core.map((mutant) => ({ ...mutant, package: 'core' }));
