/** Beginnings of names that only models of text, speech and numbers have. */
const CHAT_NAMES =
  /^(?:gpt-(?:3\.5|4|5|oss)|chatgpt-|o[134](?:-|$)|claude-|gemini-|gemma|llama|meta-llama|mistral-|mixtral-|ministral|codestral|magistral|deepseek-|qwen\d|qwq|command-|grok-\d|phi-\d|nova-(?:micro|lite|pro|premier)|text-embedding-|whisper-|tts-)/;

/** Families of chat models have members that draw, and say so in their names; a slip in that word is a typo, not a chat model. */
const DRAWS = /ima?g|iamg|banana|draw|pict|visual|flux|diffusion/;

/**
 * Whether a name is clearly that of a model which makes no pictures, whoever serves it. It judges names that no
 * provider lists, because such a call would be paid for and bring a text.
 */
export function isChatModel(name: string): boolean {
  const model = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  return CHAT_NAMES.test(model) && !DRAWS.test(name.toLowerCase());
}

export function chatModelReason(name: string): string {
  return `model: "${name.slice(0, 200)}" is a chat model; it makes no pictures: choose one of GET /v1/models`;
}
