import { bearer } from './openai.ts';
import { openaiCatalog, openaiChat, versionOne } from './openai-chat.ts';
import { classifyOpenai } from './openai-errors.ts';
import type { Access, Provider } from './provider.ts';

/**
 * A server of one's own machine that speaks OpenAI's wire of chat and makes no pictures. It bills nothing, so what was
 * lost is made again. Which models it has is up to its owner; a base URL may end in `/v1` or not.
 */
export function localChat(id: string, access: Omit<Access, 'keyless'>): Provider {
  return {
    id,
    access: { ...access, keyless: true },
    models: [],
    model: () => undefined,
    resubmit: 'safe',
    authorize: bearer,
    classify: classifyOpenai,
    catalog: openaiCatalog(versionOne),
    chat: openaiChat({ root: versionOne, takesAny: true }),
  };
}
