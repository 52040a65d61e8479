import { CANARY } from '../../testing/planted.ts';
import { answer, TODAY, well } from '../../testing/well-io.ts';
import type { Certificate, DoctorIo, DoctorRequest, DoctorResponse, Tried } from '../../world.ts';

export const DAY_MS = 86_400_000;

/** An account at OpenAI, with a key that no output may hold. */
export const OPENAI = { OPENAI_API_KEY: keyLike('sk-proj-', 156) };

/** Shaped as its provider's keys are. */
export function keyLike(prefix: string, characters: number): string {
  return `${prefix}${CANARY}${'aB3dE5gH'.repeat(40)}`.slice(0, prefix.length + characters);
}

/** A ComfyUI and an Ollama on this machine. */
export const COMFYUI = { ONETAKE_COMFYUI_BASE_URL: 'http://127.0.0.1:8188' };
export const OLLAMA = { ONETAKE_OLLAMA_BASE_URL: 'http://127.0.0.1:11434/v1' };

type Answers = Readonly<
  Record<string, DoctorResponse | Tried<DoctorResponse> | ((request: DoctorRequest) => Tried<DoctorResponse>)>
>;

/** Answers by what a URL contains, the first that fits; everything else as a well world does. */
export function answering(answers: Answers): Partial<DoctorIo> {
  return {
    fetch: async (request) => {
      const [, found = answer(200, {})] = Object.entries(answers).find(([part]) => request.url.includes(part)) ?? [];
      if (typeof found === 'function') return found(request);
      return 'ok' in found ? found : well(found);
    },
  };
}

/** An error as OpenAI words it. */
export function openaiError(status: number, code: string, message: string): DoctorResponse {
  return answer(status, { error: { message, type: 'invalid_request_error', param: null, code } });
}

export function listOf(...ids: readonly string[]): DoctorResponse {
  return answer(200, { object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });
}

/** A handshake that shows a certificate which is not as it should be. */
export function showing(certificate: Partial<Certificate>): Partial<DoctorIo> {
  const usual = { subject: 'api.openai.com', issuer: 'WE1', authorized: false };
  const valid = { validFrom: TODAY - 30 * DAY_MS, validTo: TODAY + 60 * DAY_MS };
  return { handshake: async () => well({ ...usual, ...valid, ...certificate }) };
}

/** Answers that take their time, several at once: the clock goes on to the next one that is due. */
export function passing(
  outcome: (request: DoctorRequest) => { readonly ms: number; readonly answer: Tried<DoctorResponse> },
): Partial<DoctorIo> {
  let now = TODAY;
  const waiting: { readonly at: number; readonly done: () => void }[] = [];
  const wake = () => {
    waiting.sort((one, other) => one.at - other.at);
    const next = waiting.shift();
    if (next === undefined) return;
    now = next.at;
    next.done();
  };
  return {
    now: () => now,
    fetch: (request) =>
      new Promise((resolve) => {
        const { ms, answer: given } = outcome(request);
        waiting.push({ at: now + ms, done: () => resolve(given) });
        setImmediate(wake);
      }),
  };
}
