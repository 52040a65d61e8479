import type { ProtocolCall } from './protocol.ts';

/** The pixels that fit into the memory of an imitated machine, all pictures of a call together. */
const MEMORY_PIXELS = 4 * 1024 ** 2;
const MAX_HOSTS = 100;

/** Whether a call asks for more than the machine can hold. */
export function exceedsMemory(width: number, height: number, pictures: number): boolean {
  return width * height * pictures > MEMORY_PIXELS;
}

/**
 * What a server on a machine of its own remembers, by the path it is reached at: `/fault/500/comfyui` and `/comfyui`
 * are two machines. A restart of the sandbox forgets it, as theirs would.
 */
export function hostsOf<State>(create: () => State): (call: Pick<ProtocolCall, 'context' | 'basePath'>) => State {
  const bySandbox = new WeakMap<object, Map<string, State>>();
  return ({ context, basePath }) => {
    const hosts = bySandbox.get(context.ledger) ?? new Map<string, State>();
    bySandbox.set(context.ledger, hosts);
    const state = hosts.get(basePath) ?? create();
    hosts.delete(basePath);
    hosts.set(basePath, state);
    const oldest = hosts.keys().next().value;
    if (hosts.size > MAX_HOSTS && oldest !== undefined) hosts.delete(oldest);
    return state;
  };
}
