import { parseAddress } from '../../config/environment.ts';
import type { Check, Finding } from '../check.ts';
import type { DoctorRequest, DoctorWorld } from '../world.ts';
import { callersHeaders } from './callers-key.ts';
import { lookAtFront } from './front.ts';
import { bodyFinding, type Passage, plainFinding, streamFinding } from './through-findings.ts';

const THROUGH_MS = 150_000;
/** For the way there and back, and a busy gateway. */
const ROOM_MS = 20_000;
const BODY_BYTES = 20 * 1024 * 1024;
const BODY_TIMEOUT_MS = 60_000;

/** A long job, the same as a stream, and a large body, sent through whatever stands in front of the gateway. */
export const THROUGH: Check = {
  id: 'through',
  title: 'through',
  needs: 'asked',
  async run(world) {
    const { through: told, throughMs = THROUGH_MS } = world.options;
    if (told === undefined) return [];
    const base = parseAddress(told)?.replace(/\/v1$/, '');
    if (base === undefined) return [notAnAddress(told)];
    const reached = await lookAtFront(base, world);
    if (reached.level === 'broken' || reached.id === 'front.unreachable') return [{ ...reached, level: 'broken' }];
    const [plain, stream, body] = await Promise.all([
      send(jobRequest(base, throughMs, false, world), world),
      send(jobRequest(base, throughMs, true, world), world),
      send(largeRequest(base, world), world),
    ]);
    return [reached, ...jobFindings(base, throughMs, plain, stream), bodyFinding(base, body, BODY_BYTES)];
  },
};

function notAnAddress(told: string): Finding {
  return {
    id: 'through.address',
    level: 'broken',
    message: '--through: expected an http or https address without user, query or fragment',
    advice: 'Give the address that callers use, such as --through https://images.example.com',
    ...(!told.includes('@') && { subject: told.slice(0, 200) }),
  };
}

function jobFindings(base: string, throughMs: number, plain: Passage, stream: Passage): readonly Finding[] {
  const asStream = streamFinding(base, stream, throughMs);
  const asPlain = plainFinding(base, plain, throughMs);
  // What the gateway itself says is the same both times.
  if (asPlain.id === asStream.id) return [asPlain];
  if (asPlain.id !== 'through.cut' || asStream.id !== 'through.stream-ok') return [asPlain, asStream];
  return [
    { ...asPlain, advice: `${asPlain.advice} A stream came through, so callers may stream meanwhile.` },
    asStream,
  ];
}

async function send(request: DoctorRequest, { io }: DoctorWorld): Promise<Passage> {
  const startedAt = io.now();
  const answer = await io.fetch(request);
  return { answer, ms: io.now() - startedAt };
}

/** A picture of the sandbox, which costs nothing; nobody else's request, and no other one of ours, is the same. */
function jobRequest(base: string, throughMs: number, stream: boolean, world: DoctorWorld): DoctorRequest {
  const prompt = `onetake doctor, ${stream ? 'streamed' : 'plain'}, ${world.io.now()}`;
  // A stream of the sandbox's own would be silent for longer than the clock of idle streams allows; a job is looked at.
  const model = `${stream ? 'sandbox-task' : 'sandbox'}/slow:${throughMs / 1_000}`;
  return {
    url: `${base}/v1/images/generations`,
    method: 'POST',
    headers: {
      ...callersHeaders(world),
      'content-type': 'application/json',
      'x-onetake-attach': 'off',
      'x-onetake-cache': 'off',
    },
    body: JSON.stringify({ model, prompt, n: 1, size: '1024x1024', ...(stream && { stream: true }) }),
    timeoutMs: throughMs + ROOM_MS,
  };
}

/** What claims to be a picture and is none: the gateway says so when it has it, and nothing is made. */
function largeRequest(base: string, world: DoctorWorld): DoctorRequest {
  const boundary = 'onetake-doctor-boundary';
  const field = (name: string, value: string) =>
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const file = `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="doctor.png"\r\ncontent-type: image/png\r\n\r\n`;
  const start = `${field('model', 'sandbox/ok')}${field('prompt', 'onetake doctor')}${file}`;
  const body = Buffer.concat([
    Buffer.from(start),
    Buffer.alloc(BODY_BYTES, 'x'),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return {
    url: `${base}/v1/images/edits`,
    method: 'POST',
    headers: { ...callersHeaders(world), 'content-type': `multipart/form-data; boundary=${boundary}` },
    body,
    timeoutMs: BODY_TIMEOUT_MS,
  };
}
