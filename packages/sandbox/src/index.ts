export { PRICES_PER_MILLION_TOKENS_USD } from './ledger.ts';
export { type LimitRule, parseLimit, type Rate } from './limit.ts';
export { type Sandbox, type SandboxOptions, startSandbox } from './server.ts';
