import {
  changesBetween,
  chatAdvice,
  diffLine,
  diffOf,
  type Failure,
  type Generation,
  isRewritten,
  type JsonObject,
  type Plan,
  type PromptFinding,
  type RefusalReport,
  refusalReport,
  rewriteOf,
} from '@onetake/core';

/** Of a failed answer: what was found in the prompt, and, where the content was refused, by whom, why and what to try. */
export function refusalFields(failure: Failure, plan?: Pick<Plan, 'request' | 'rewrite'>): JsonObject {
  const { findings } = failure;
  const hasImages = plan?.request.images !== undefined;
  const report = refusalReport(failure, { rewrite: plan?.rewrite, hasImages });
  if (report === undefined) return findings ? { findings: findings.map(findingItem) } : {};
  const refusal = refusalItem(report, report.suggestions);
  return { ...(findings && { findings: findings.map(findingItem) }), refusal };
}

/** Of chat: what there is to try is not in words for a prompt. */
export function chatRefusalFields(failure: Failure): JsonObject {
  const report = refusalReport(failure, {});
  return report ? { refusal: refusalItem(report, [chatAdvice(failure)]) } : {};
}

function refusalItem({ stage, reason, categories, said }: RefusalReport, suggestions: readonly string[]): JsonObject {
  return {
    stage,
    ...(reason !== undefined && { reason }),
    categories,
    ...(said !== undefined && { provider_text: said }),
    suggestions,
  };
}

/** What the rules say of a prompt that they let pass. */
export function warningFields({ warnings }: Pick<Plan, 'warnings'>): JsonObject {
  return warnings ? { warnings: warnings.map(findingItem) } : {};
}

/** The words that were asked for in place of the caller's, piece by piece; nothing where they are the caller's own. */
export function rewrittenFields(
  { request, rewrite }: Pick<Plan, 'request' | 'rewrite'>,
  { runs }: Generation,
): JsonObject {
  const rung = runs.map(rewriteOf).find((one) => one !== undefined);
  if (rung === undefined) return {};
  const prompt = rung.prompt ?? rewrite?.prompt ?? request.prompt;
  const changes = rung.prompt === undefined ? (rewrite?.changes ?? []) : changesBetween(request.prompt, rung.prompt);
  return {
    rewritten: {
      prompt,
      ...(rung.by !== undefined && { by: rung.by }),
      ...(rung.generation !== undefined && { generation: rung.generation }),
      changes: changes.map((change) => ({ ...change })),
      diff: diffLine(diffOf(request.prompt, changes)),
    },
  };
}

export function rewrittenHeader(generation: Generation): Record<string, string> {
  return generation.runs.some(isRewritten) ? { 'x-onetake-rewritten': '1' } : {};
}

function findingItem({ rule, field, value, message, suggestion, category, action }: PromptFinding): JsonObject {
  return {
    rule,
    action,
    field,
    value,
    message,
    ...(suggestion !== undefined && { suggestion }),
    ...(category !== undefined && { category }),
  };
}
