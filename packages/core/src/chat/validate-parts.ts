import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { type Fault, firstFault, missing, notFilled, notString, wrongType, wrongValue } from './fault.ts';

/** Judges a part whose `type` it knows. */
type PartRule = (part: JsonObject, param: string) => Fault | undefined;

/**
 * What of a part is judged, by its type; a type that is not here passes, because another server may know it. In
 * chat/completions they are `text` and the like, in the Responses API `input_text` and the like.
 */
const PARTS: Readonly<Record<string, PartRule>> = {
  text: textFault,
  input_text: textFault,
  output_text: textFault,
  refusal: (part, param) => notString(`${param}.refusal`, part.refusal),
  image_url: chatImageFault,
  input_image: responsesImageFault,
  file: (part, param) => objectFault(part, param, 'file', 'an object with file_data or file_id'),
  input_audio: chatAudioFault,
};

/** vLLM knows a part without a type by one of these. */
const TELLING = ['image_url', 'audio_url', 'video_url', 'input_audio'];
/** A URL of any scheme: vLLM takes `file:`, Google `gs:`. */
const SCHEME = /^\s*[a-z][a-z0-9+.-]*:/i;
/** Bare base64, which some local servers take; judged by its front, as it may be megabytes. */
const BASE64_FRONT = /^[A-Za-z0-9+/_-]{32,64}$/;
const FRONT_CHARS = 64;

/**
 * The first fault among content parts. An empty list passes: OpenAI answers it (openai-python#1812). A bare string as
 * a part passes too, as vLLM takes it.
 */
export function partsFault(parts: readonly JsonValue[], param: string): Fault | undefined {
  return firstFault(param, parts, partFault);
}

function partFault(part: JsonValue, param: string): Fault | undefined {
  if (typeof part === 'string') return undefined;
  if (!isObject(part)) return wrongType(param, part, 'an object with a type');
  const { type } = part;
  if (type === undefined && TELLING.some((key) => part[key] !== undefined)) return undefined;
  const fault = notFilled(`${param}.type`, type, 'the kind of part, such as "text"');
  if (fault || typeof type !== 'string') return fault;
  return Object.hasOwn(PARTS, type) ? PARTS[type]?.(part, param) : undefined;
}

function textFault(part: JsonObject, param: string): Fault | undefined {
  return notString(`${param}.text`, part.text);
}

/** An object with `url`, or the URL itself; vLLM takes nothing with a `uuid` for a picture it was shown before. */
function chatImageFault(part: JsonObject, param: string): Fault | undefined {
  const image = part.image_url;
  if (typeof part.uuid === 'string' && (image === undefined || image === null)) return undefined;
  if (isObject(image)) return urlFault(image.url, `${param}.image_url.url`);
  if (typeof image === 'string') return urlFault(image, `${param}.image_url`);
  return wrongType(`${param}.image_url`, image, 'an object with a url');
}

/** `image_url` is a string here, not an object as in chat/completions; without it there is a `file_id`. */
function responsesImageFault(part: JsonObject, param: string): Fault | undefined {
  const { image_url: url, file_id: file } = part;
  if (url !== undefined && url !== null) return urlFault(url, `${param}.image_url`);
  if (file === undefined || file === null) return missing(`${param}.image_url`, 'a URL, or a file_id');
  return notFilled(`${param}.file_id`, file, 'the id of a file');
}

/** chat/completions and llama.cpp; a `uuid` as with pictures. The format is the provider's business. */
function chatAudioFault(part: JsonObject, param: string): Fault | undefined {
  const audio = part.input_audio;
  if (typeof part.uuid === 'string' && (audio === undefined || audio === null)) return undefined;
  if (!isObject(audio)) return wrongType(`${param}.input_audio`, audio, 'an object with data and format');
  return notString(`${param}.input_audio.data`, audio.data, 'base64');
}

function objectFault(part: JsonObject, param: string, key: string, wanted: string): Fault | undefined {
  return isObject(part[key]) ? undefined : wrongType(`${param}.${key}`, part[key], wanted);
}

/** What no server takes for a picture: nothing, another type, or words that are neither a URL nor base64. */
function urlFault(value: JsonValue | undefined, param: string): Fault | undefined {
  const fault = notFilled(param, value, 'an http(s) or data URL');
  if (fault || typeof value !== 'string') return fault;
  const front = value.slice(0, FRONT_CHARS);
  if (SCHEME.test(front) || BASE64_FRONT.test(front)) return undefined;
  return wrongValue(param, value, 'give an http(s) or data URL');
}
