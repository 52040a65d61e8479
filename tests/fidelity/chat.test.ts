import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { RunningGateway } from '../rig/gateway.ts';
import { startGateway } from '../rig/gateway.ts';
import { AI_SDK_SCENARIOS, LANGCHAIN_SCENARIOS, OPENAI_SCENARIOS, type Scenario } from './chat-scenarios.ts';

const MODEL = 'gpt-5.6-luna';

const CLIENTS: Readonly<Record<string, Readonly<Record<string, Scenario>>>> = {
  openai: OPENAI_SCENARIOS,
  'the AI SDK': AI_SDK_SCENARIOS,
  LangChain: LANGCHAIN_SCENARIOS,
};

suite('chat clients get through the gateway what they get from the provider itself', { concurrency: true }, () => {
  let gateway: RunningGateway;
  before(async () => {
    gateway = await startGateway();
  });
  after(() => gateway.close());

  for (const [client, scenarios] of Object.entries(CLIENTS)) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      test(`${client}: ${name}`, async () => {
        const direct = await scenario(`${gateway.sandboxUrl}/v1`, MODEL);
        assert.deepEqual(await scenario(`${gateway.url}/v1`, `sandbox/${MODEL}`), direct);
      });
    }
  }
});
