export { type LimitRule, parseLimit, type Rate } from './limit.ts';
export { type Sandbox, type SandboxOptions, startSandbox } from './server.ts';
