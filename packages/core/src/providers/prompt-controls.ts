/**
 * stable-diffusion.cpp reads settings out of the prompt: its OpenAI and WebUI families let a block of JSON in it change
 * any field of the request, files on the server included. A caller's prompt is not trusted with that.
 */
const EXTRA_ARGUMENTS = /<sd_cpp_extra_args>[\s\S]*?<\/sd_cpp_extra_args>/gi;
const LORA_TAG = /<lora:[^>]*>/gi;

/** The prompt without blocks of settings; a space stays, so that no two halves make a new one. */
export function withoutExtraArguments(prompt: string): string {
  return prompt.replaceAll(EXTRA_ARGUMENTS, ' ');
}

/** The prompt without LoRA tags, for a server that would read them as words of the picture. */
export function withoutLoraTags(prompt: string): string {
  return prompt.replaceAll(LORA_TAG, ' ');
}
