/**
 * Names of models that think before they speak, as their makers and the servers of open models write them. A name that
 * is not here only has the shorter clocks; so what thinks on demand alone is left out.
 */
const THINKS = [
  /^o[134](?:$|-)/,
  /^gpt-[5-9](?!-chat)(?:$|[.-])/,
  /^gpt-oss(?:$|[-:])/,
  /^codex-mini/,
  /^deepseek-r\d/,
  /^qwq(?:$|[-:])/,
  /^magistral(?:$|[-:])/,
  /^grok-(?:3-mini|4(?:\.\d+)?)(?:$|-)/,
  /^gemini-(?:2\.5|[3-9](?:\.\d+)?)-pro(?:$|-)/,
  /[-_](?:thinking|reasoner|reasoning)(?:$|[-_:@])/,
];
const DOES_NOT = /(?:^|[-_])(?:non|no)[-_](?:thinking|reasoning)(?:$|[-_:@])|(?:^|[-_])(?:embed|embedding)(?:$|[-_:@])/;

/** Whether a model is of a family that reasons, judged by its name alone, whoever serves it. */
export function isReasoningModel(name: string): boolean {
  const model = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  return !DOES_NOT.test(model) && THINKS.some((family) => family.test(model));
}
