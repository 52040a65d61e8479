/** Beginnings of names that only models of text, speech and numbers have. */
const CHAT_NAMES =
  /^(?:gpt-(?:3\.5|[4-9]|\d\d|oss)|chatgpt-|o[134](?:-|$)|claude-|gemini-|gemma|llama|meta-llama|mistral-|mixtral-|ministral|codestral|magistral|deepseek-|qwen\d|qwq|command-|grok-\d|phi-\d|nova-(?:micro|lite|pro|premier)|text-embedding-|whisper-|tts-)/;

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

/** Makers whose models of either sort begin alike. */
const BOTH = /^(?:gpt|chatgpt|gemini|grok)-/;
/** Beginnings of the names of models that draw, and the word that others of them have in theirs. */
const IMAGE_NAMES =
  /^(?:dall-e-|imagen-|flux|stable-diffusion|sdxl|sd3|ideogram|recraft|midjourney)|(?:^|[-.])(?:image|imagine|diffusion)(?:$|[-.:\d])/;

/** Whether a name is clearly that of a model which makes pictures, whoever serves it. */
export function isImageModel(name: string): boolean {
  const model = name.slice(name.lastIndexOf('/') + 1).toLowerCase();
  return IMAGE_NAMES.test(model) || (BOTH.test(model) && DRAWS.test(model));
}

export function imageModelReason(name: string): string {
  return `model: "${name.slice(0, 200)}" makes pictures and does not chat: send it to /v1/images/generations, or choose one of GET /v1/models`;
}

export function chatModelReason(name: string): string {
  return `model: "${name.slice(0, 200)}" is a chat model; it makes no pictures: send it to /v1/chat/completions, or choose one of GET /v1/models`;
}
