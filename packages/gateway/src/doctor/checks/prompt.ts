import { checkPrompt } from '@onetake/core';
import type { Check } from '../check.ts';
import { fine, unread } from './found.ts';

/** Holds the prompt of `--prompt` against the local rules; nothing is sent. */
export const PROMPT: Check = {
  id: 'prompt',
  title: 'prompt',
  needs: 'asked',
  async run({ options: { prompt }, config }) {
    if (prompt === undefined) return [];
    if (!config.ok) return unread('prompt');
    const { rules, everywhere } = config.config.promptRules;
    const { findings } = checkPrompt(prompt, rules);
    if (findings.length === 0) return [fine('prompt.passes', 'the local rules have nothing against it')];
    // Without rules in force only what no model draws is refused.
    const inForce = (rule: string) => everywhere || rule.startsWith('prompt-');
    return findings.map(({ rule, action, message, wayOut, category }) => ({
      id: action === 'refuse' ? 'prompt.refused' : 'prompt.warned',
      level: action === 'refuse' && inForce(rule) ? ('broken' as const) : ('warning' as const),
      subject: rule,
      message: inForce(rule) ? message : `${message} (rules are off: prompt_rules)`,
      advice: wayOut,
      facts: { rule, action, category: category ?? null },
    }));
  },
};
