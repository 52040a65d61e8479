import { CHAT_ENDPOINTS } from '../chat/endpoints.ts';
import type { JsonValue } from '../json.ts';
import { choices, dated, fault, flag, limits, objectAt, price, text } from './fact-values.ts';
import { type ModelFile, readFacts } from './model-data.ts';
import type { ChatModel } from './provider.ts';

/** Like `ModelFile`, of models of chat. */
interface ChatModelFile extends Omit<ModelFile, 'models'> {
  readonly models: readonly ChatModel[];
}

/** Reads a file of data about models of chat; throws a `TypeError` that names the place of a fault. */
export function readChatModelFile(file: unknown): ChatModelFile {
  const { asOf, sources, facts } = readFacts(file);
  const models = Object.entries(facts).map(([id, said]) =>
    readChatModel(id, said, blankChatModel(id), `models.${id}`, asOf),
  );
  return { asOf, sources, models };
}

/** A model of which nothing is known but its name. */
export function blankChatModel(id: string): ChatModel {
  return { id, endpoints: CHAT_ENDPOINTS };
}

/** Like `readModel`, of a model of chat. */
export function readChatModel(id: string, facts: unknown, known: ChatModel, where: string, asOf = 'config'): ChatModel {
  let model: ChatModel = { ...known, id };
  for (const [key, value] of Object.entries(objectAt(facts, where))) {
    const at = `${where}.${key}`;
    if (!Object.hasOwn(FACTS, key)) throw fault(at, `one of ${Object.keys(FACTS).join(', ')}`, key);
    model = { ...model, ...FACTS[key]?.(value, at, asOf) };
  }
  return model;
}

const FACTS: Readonly<Record<string, (value: JsonValue | undefined, at: string, asOf: string) => Partial<ChatModel>>> =
  {
    endpoints: (value, at) => ({ endpoints: choices(value, at, CHAT_ENDPOINTS) }),
    reasoning: (value, at) => ({ reasoning: flag(value, at) }),
    price: (value, at, asOf) => dated({ price: price(value, at) }, asOf),
    limits: (value, at) => ({ limits: limits(value, at) }),
    shutdown_date: (value, at) => ({ shutdownDate: text(value, at) }),
  };
