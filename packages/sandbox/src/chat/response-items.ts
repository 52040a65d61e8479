import type { Reply, Step } from './reply.ts';
import { newId } from './wire.ts';

/** The output items of a response, one after the other, and the events that tell of them. */
export interface Items {
  /** The item that token `index` is of begins; nothing where there is none. */
  begin(index: number): string;
  /** One token, with the end of the item before it where another begins. */
  step(index: number): string;
  /** The item that is open ends. */
  end(): string;
  /** All of them, whole. */
  all(): readonly object[];
}

type Event = (type: string, fields: object) => string;

interface Item {
  readonly id: string;
  readonly output_index: number;
  readonly kind: Step['kind'];
  readonly call: number;
}

/** Tells of the items of a reply: what is thought aloud, then a message or calls of functions. */
export function createItems(reply: Reply, event: Event): Items {
  const list = itemsOf(reply);
  let open: Item | undefined;
  const end = () => {
    const ended = open ? endOf(open, reply, event) : '';
    open = undefined;
    return ended;
  };
  const begin = (index: number) => {
    const next = itemAt(list, reply, index);
    if (!next || next === open) return '';
    const before = end();
    open = next;
    return before + beginningOf(next, reply, event);
  };
  return {
    begin,
    step(index) {
      const before = begin(index);
      const { text, begins } = reply.stepAt(index);
      // The name of a function came when its item began.
      return open && !begins
        ? before + event(DELTAS[open.kind], { ...placeOf(open), delta: text, ...extrasOf(open) })
        : before;
    },
    end,
    all: () => list.map((item) => wholeOf(item, reply)),
  };
}

const DELTAS = {
  reasoning: 'response.reasoning_summary_text.delta',
  text: 'response.output_text.delta',
  refusal: 'response.refusal.delta',
  call: 'response.function_call_arguments.delta',
} as const;

function itemsOf(reply: Reply): readonly Item[] {
  const kinds: { kind: Item['kind']; call: number }[] = reply.reasoning === '' ? [] : [{ kind: 'reasoning', call: 0 }];
  if (reply.kind === 'calls') reply.calls.forEach((_, call) => void kinds.push({ kind: 'call', call }));
  else kinds.push({ kind: reply.kind, call: 0 });
  const prefixes = { reasoning: 'rs_', text: 'msg_', refusal: 'msg_', call: 'fc_' };
  return kinds.map((one, index) => ({ ...one, id: newId(prefixes[one.kind]), output_index: index }));
}

/** A message is there although not a token of it is. */
function itemAt(list: readonly Item[], reply: Reply, index: number): Item | undefined {
  if (reply.steps === 0) return list[0];
  const { kind, call = 0 } = reply.stepAt(index);
  return list.find((item) => item.kind === kind && item.call === call);
}

function placeOf({ id, output_index, kind }: Item): object {
  const inner = {
    reasoning: { summary_index: 0 },
    text: { content_index: 0 },
    refusal: { content_index: 0 },
    call: {},
  };
  return { item_id: id, output_index, ...inner[kind] };
}

function extrasOf({ kind }: Item): object {
  return kind === 'text' ? { logprobs: [] } : {};
}

function beginningOf(item: Item, reply: Reply, event: Event): string {
  const { output_index, kind } = item;
  const added = event('response.output_item.added', { output_index, item: shellOf(item, reply) });
  if (kind === 'call') return added;
  const type = kind === 'reasoning' ? 'response.reasoning_summary_part.added' : 'response.content_part.added';
  return added + event(type, { ...placeOf(item), part: partOf(kind, '') });
}

function endOf(item: Item, reply: Reply, event: Event): string {
  const { output_index, kind } = item;
  const place = placeOf(item);
  const done = () => event('response.output_item.done', { output_index, item: wholeOf(item, reply) });
  const text = kind === 'reasoning' ? reply.reasoning : reply.textOf(0);
  switch (kind) {
    case 'call': {
      const { name, arguments: json } = reply.calls[item.call] ?? {};
      return event('response.function_call_arguments.done', { ...place, name, arguments: json }) + done();
    }
    case 'reasoning': {
      const part = { ...place, part: partOf(kind, text) };
      const told = event('response.reasoning_summary_text.done', { ...place, text });
      return told + event('response.reasoning_summary_part.done', part) + done();
    }
    default: {
      const fields = kind === 'text' ? { text, logprobs: [] } : { refusal: text };
      const type = kind === 'text' ? 'response.output_text.done' : 'response.refusal.done';
      const part = { ...place, part: partOf(kind, text) };
      return event(type, { ...place, ...fields }) + event('response.content_part.done', part) + done();
    }
  }
}

function partOf(kind: Exclude<Item['kind'], 'call'>, text: string): object {
  if (kind === 'reasoning') return { type: 'summary_text', text };
  return kind === 'text'
    ? { type: 'output_text', text, annotations: [], logprobs: [] }
    : { type: 'refusal', refusal: text };
}

/** An item as it begins. */
function shellOf({ id, kind, call }: Item, reply: Reply): object {
  if (kind === 'reasoning') return { id, type: 'reasoning', summary: [] };
  if (kind !== 'call') return { id, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
  const { id: callId, name } = reply.calls[call] ?? {};
  return { id, type: 'function_call', status: 'in_progress', call_id: callId, name, arguments: '' };
}

function wholeOf(item: Item, reply: Reply): object {
  const shell = shellOf(item, reply);
  const status = reply.finish === 'length' || reply.finish === 'content_filter' ? 'incomplete' : 'completed';
  const { kind } = item;
  if (kind === 'reasoning') return { ...shell, summary: [partOf(kind, reply.reasoning)] };
  if (kind === 'call') return { ...shell, status, arguments: reply.calls[item.call]?.arguments };
  return { ...shell, status, content: [partOf(kind, reply.textOf(0))] };
}
