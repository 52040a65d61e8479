import { presentable } from '../classify.ts';
import { isObject, type JsonObject, type JsonValue, parseJson, stringAt } from '../json.ts';

type JsonAnswer = { readonly ok: true; readonly value: JsonObject } | { readonly ok: false; readonly why: string };

const MAX_WHY_CHARS = 200;
const CUT = 'its answer was cut off at its token limit';

/** The JSON object that a model was asked for, out of its `chat.completion`; models like to put it into a fence. */
export function jsonAnswer(answer: JsonValue | undefined): JsonAnswer {
  const choices = isObject(answer) ? answer.choices : undefined;
  const choice: JsonValue | undefined = Array.isArray(choices) ? choices[0] : undefined;
  const message = isObject(choice) ? choice.message : undefined;
  const refusal = stringAt(message, 'refusal');
  if (refusal) return no(`it declines: ${shortened(refusal)}`);
  const text = stringAt(message, 'content')?.trim() ?? '';
  const isCut = stringAt(choice, 'finish_reason') === 'length';
  if (text === '') return no(isCut ? CUT : 'its answer is empty');
  const value = parseJson(text.replace(/^```(?:json)?\s*\n?/i, '').replace(/\n?```$/, ''));
  if (isObject(value)) return { ok: true, value };
  if (value === undefined && isCut) return no(CUT);
  return no(`its answer is not the JSON that was asked for: ${shortened(text)}`);
}

function no(why: string): JsonAnswer {
  return { ok: false, why };
}

/** What a model said, as much of it as is worth telling. */
export function shortened(text: string): string {
  const chars = [...presentable(text.slice(0, MAX_WHY_CHARS * 4))];
  return chars.length <= MAX_WHY_CHARS ? chars.join('') : `${chars.slice(0, MAX_WHY_CHARS - 1).join('')}…`;
}
