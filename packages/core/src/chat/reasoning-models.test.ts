import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReasoningModel } from './reasoning-models.ts';

test('families that think are known by their names, whoever serves them', () => {
  for (const name of [
    ...['o1', 'o1-preview', 'o3', 'o3-mini-2025-01-31', 'o4-mini', 'openai/o3', 'gpt-5', 'gpt-5-mini', 'gpt-5.4-nano'],
    ...['gpt-6-sol', 'gpt-6.1-terra', 'openai/gpt-oss-120b', 'gpt-oss:20b', 'codex-mini-latest'],
    ...['deepseek-r1:8b', 'deepseek-ai/DeepSeek-R1-0528', 'deepseek-reasoner', 'Qwen/QwQ-32B', 'magistral-medium-2509'],
    ...['grok-3-mini', 'grok-4', 'grok-4.1-fast', 'grok-4-1-fast-reasoning', 'gemini-2.5-pro', 'gemini-3-pro-preview'],
    ...[
      'qwen3-235b-a22b-thinking-2507',
      'kimi-k2-thinking',
      'accounts/fireworks/models/deepseek-r1',
      'phi-4-reasoning-plus',
    ],
  ])
    assert.equal(isReasoningModel(name), true, name);
});

test('names that only resemble them are not', () => {
  for (const name of [
    ...[
      '',
      'gpt-4o',
      'gpt-4.1',
      'gpt-4o1',
      'gpt-35-turbo',
      'gpt-5-chat-latest',
      'gpt-50',
      'o10',
      'o2',
      'o1x',
      'foo-o1',
    ],
    ...[
      'grok-4-fast-non-reasoning',
      'grok-3',
      'gemini-2.5-flash',
      'deepseek-chat',
      'deepseek-v3',
      'llama3.3',
      'qwen3:8b',
    ],
    ...['text-embedding-3-small', 'qwen3-embedding', 'nothinking', 'thinking', 'unreasoning', 'qwen3-no-thinking'],
  ])
    assert.equal(isReasoningModel(name), false, name);
});
