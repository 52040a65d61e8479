import type { TestContext } from 'node:test';
import { type Client, createClient } from '@onetake/core';
import type { Sandbox } from '@onetake/sandbox';
import type { Way } from './chat-programs.ts';

/** A client whose one provider, `lab`, is there, gone when the test is; `best` is a route of these targets. */
export function clientOf(t: Pick<TestContext, 'after'>, baseUrl: string, targets: readonly string[] = []): Client {
  const client = createClient({ providers: { lab: { baseUrl } }, routes: { best: { targets } } });
  t.after(() => client.close());
  return client;
}

/** Without us. */
export const direct = ({ url }: Sandbox): Way => ({ baseURL: `${url}/v1` });
