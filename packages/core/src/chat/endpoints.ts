/** What of OpenAI's wire is spoken: the path below the base URL. */
export type ChatEndpoint = 'chat/completions' | 'responses' | 'embeddings';

export const CHAT_ENDPOINTS: readonly ChatEndpoint[] = ['chat/completions', 'responses', 'embeddings'];
