import {
  type Catalogue,
  CHAT_ENDPOINTS,
  type ChatEndpoint,
  chatModelOf,
  chatTarget,
  isImageModel,
  type ListedModel,
  type PlannedTarget,
  planChat,
} from '@onetake/core';

/** What a name of chat stands for. */
export interface ChatFacts {
  readonly targets: readonly PlannedTarget[];
  /** The paths under `/v1` that it may be sent to. */
  readonly endpoints: readonly ChatEndpoint[];
  /** Of the first target: it thinks before it speaks. */
  readonly reasoning?: boolean;
  readonly shutdownDate?: string;
}

const PROBE = { stream: false, excerpt: '', inputTokens: 1 } as const;

/** Planned like a request, so that it says what a request would meet; undefined for a name that nobody chats under. */
export function chatFacts(catalogue: Catalogue, id: string): ChatFacts | undefined {
  const plans = CHAT_ENDPOINTS.flatMap((endpoint) => {
    const planned = planChat({ ...PROBE, endpoint }, id, catalogue, {}, 0);
    return planned.ok ? [{ endpoint, targets: planned.plan.targets }] : [];
  });
  const [first] = plans;
  const [target] = first?.targets ?? [];
  if (first === undefined || target === undefined) return undefined;
  const { reasoning, shutdownDate } = chatModelOf(target.id, catalogue) ?? {};
  return {
    targets: first.targets,
    endpoints: plans.map(({ endpoint }) => endpoint),
    ...(reasoning !== undefined && { reasoning }),
    ...(shutdownDate !== undefined && { shutdownDate }),
  };
}

/** Who has more lists the rest under no name here; every one can still be asked for. */
const MAX_LISTED = 1_000;
/** Models of sound, film and judgement, which lists hold beside those of chat. */
const OTHERS = /whisper|(?:^|[-/])tts|transcri|realtime|moderation|sora|dall-e|davinci|babbage|rerank|speech|video/i;

/** The names of models for chat with their providers: the known ones, then those that providers list today. */
export function chatNames(
  catalogue: Catalogue,
  modelsOf: (provider: string) => Iterable<ListedModel> = () => [],
): readonly (readonly [id: string, provider: string])[] {
  return catalogue.connections.flatMap(({ id: provider, provider: { chat, models } }) => {
    if (chat === undefined) return [];
    const draws = new Set(models.map(({ id }) => id));
    const isForChat = ({ id }: ListedModel) =>
      !draws.has(id) && !isImageModel(id) && !OTHERS.test(id) && (chat.owns?.test(id) ?? true);
    const listed = [...modelsOf(provider)].filter(isForChat).slice(0, MAX_LISTED);
    const ids = new Set([...chat.models, ...listed].map(({ id }) => id));
    return [...ids].map((id) => [nameOf(provider, id, catalogue), provider] as const);
  });
}

/** Bare where that name reaches it. */
function nameOf(provider: string, id: string, catalogue: Catalogue): string {
  const target = `${provider}/${id}`;
  const isTaken = Object.hasOwn(catalogue.routes, id) || chatTarget(id, catalogue) !== target;
  return isTaken ? target : id;
}
