/** Which candidate is the best, by the chat model that the gateway asks for its caller. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { type Answer, call } from './rig/call.ts';
import { type RunningGateway, startGateway } from './rig/gateway.ts';
import { until } from './rig/poll.ts';
import {
  type ChatAsked,
  COMPLETION_TOKENS,
  dataIn,
  type Line,
  PROMPT_TOKENS,
  picturesIn,
  type ScriptedChat,
  startScriptedChat,
} from './rig/scripted-chat.ts';

const ANN = { authorization: 'Bearer key-of-ann' };
const INPUT_USD = 2;
const OUTPUT_USD = 10;
const QUESTION_USD = (PROMPT_TOKENS * INPUT_USD + COMPLETION_TOKENS * OUTPUT_USD) / 1e6;

let chat: ScriptedChat;
let gateway: RunningGateway;
/** What the chat model says, by a word of the prompt it is asked about. */
const lines = new Map<string, (asked: ChatAsked) => Line | Promise<Line>>();

before(async () => {
  chat = await startScriptedChat((asked) => {
    const { prompt } = dataIn(asked);
    const found = [...lines].find(([word]) => String(prompt).includes(word));
    return found ? found[1](asked) : 500;
  });
  gateway = await startGateway({ env: ENV, yaml: yamlFor(chat.url) });
});
after(async () => {
  await gateway.close();
  await chat.close();
});

const ENV = { ONETAKE_API_KEYS: 'ann:key-of-ann' };

function yamlFor(url: string): string {
  return `
providers:
  words: { kind: openai-compatible, base_url: "${url}" }
  never: { kind: openai, base_url: "sandbox:policy" }
  good: { kind: openai, base_url: sandbox }
models:
  words/small: { price: { per_million_tokens_usd: { input: ${INPUT_USD}, output: ${OUTPUT_USD} } } }
chat:
  judge_model: words/small
  judge_timeout_ms: 2000
`;
}

function generate(body: object, headers = ANN): Promise<Answer> {
  return call(`${gateway.url}/v1/images/generations`, { headers, body: { response_format: 'url', ...body } });
}

async function read(path: string, headers = ANN): Promise<Record<string, unknown>> {
  const { status, body, text } = await call(`${gateway.url}${path}`, { headers });
  assert.equal(status, 200, text);
  return body;
}

/** A generation of chat, which is written behind its answer. */
function booked(id: unknown): Promise<Record<string, unknown>> {
  return until('the question is booked', async () => {
    const { body } = await call(`${gateway.url}/v1/generations/${id}`, { headers: ANN });
    return body.status === 'completed' && body;
  });
}

const askedAbout = (word: string) => chat.asked.filter((asked) => JSON.stringify(asked).includes(word));

interface CandidateSet {
  readonly id: string;
  readonly best: number | null;
  readonly judged_by?: string;
  readonly judge?: { readonly generation?: string; readonly price_usd?: number; readonly failed?: string };
  readonly members: readonly { readonly index: number; readonly status: string; readonly score?: number }[];
}

async function candidates(prompt: string, fields: object): Promise<CandidateSet> {
  const answer = await generate({ model: 'good/gpt-image-2', prompt, size: '1536x1024', ...fields });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.onetake?.candidates as CandidateSet;
}

test('the best of a set is the one that the chat model scores highest, and it is asked once', async () => {
  lines.set('zebra seven', () => ({ scores: [2, 9.5, 7] }));
  const set = await candidates('zebra seven', { candidates: 3, pick: 'best' });
  assert.deepEqual([set.best, set.judged_by], [2, 'words/small']);
  assert.deepEqual(
    set.members.map(({ score }) => score),
    [0.6, 0.975, 0.85],
  );
  const [asked] = askedAbout('zebra seven');
  assert.ok(asked);
  assert.deepEqual(dataIn(asked), { prompt: 'zebra seven', pictures: 3 });
  for (const jpeg of picturesIn(asked)) {
    const { format, width, height } = await sharp(jpeg).metadata();
    assert.deepEqual([format, width, height], ['jpeg', 768, 512]);
  }
  const judging = await booked(set.judge?.generation);
  assert.deepEqual([judging.price_usd, set.judge?.price_usd], [QUESTION_USD, QUESTION_USD]);
  assert.equal((judging.request as Record<string, unknown>).purpose, `judge of ${set.id}`);
  const again = (await read(`/v1/candidates/${set.id}`)) as unknown as CandidateSet;
  await gateway.kill();
  gateway = await startGateway({ home: gateway.home, env: ENV });
  const later = (await read(`/v1/candidates/${set.id}`)) as unknown as CandidateSet;
  for (const seen of [again, later])
    assert.deepEqual([seen.best, seen.judged_by, seen.judge], [2, 'words/small', set.judge]);
  assert.equal(askedAbout('zebra seven').length, 1);
});

test('where the chat model does not judge, the measured score stands, and the set says why', async () => {
  lines.set('zebra eight', () => ({ scores: [1] }));
  const miscounted = await candidates('zebra eight', { candidates: 2, pick: 'best' });
  assert.match(String(miscounted.judge?.failed), /1 scores from 0 to 10 for 2 pictures/);
  assert.deepEqual([miscounted.judged_by, miscounted.best !== null], [undefined, true]);
  lines.set('zebra nine', () => undefined);
  const silent = await candidates('zebra nine', { candidates: 2, pick: 'best' });
  assert.match(String(silent.judge?.failed), /did not answer within 2000 ms/);
  const { judge } = (await read(`/v1/candidates/${silent.id}`)) as unknown as CandidateSet;
  assert.deepEqual([judge, askedAbout('zebra nine').length], [silent.judge, 1], 'it is not asked again');
});

test('nobody is asked where nothing is to be chosen', async () => {
  for (const fields of [
    { candidates: 2, pick: 'all' },
    { candidates: 2, pick: 'first' },
    { candidates: [{ model: 'good/gpt-image-2' }, { model: 'sandbox/black' }], pick: 'best' },
    { candidates: [{ model: 'good/gpt-image-2' }, { model: 'never/gpt-image-2' }], pick: 'best' },
  ]) {
    const set = await candidates('zebra ten', fields);
    assert.deepEqual([set.judged_by, set.judge], [undefined, undefined], JSON.stringify(fields));
  }
  assert.equal(askedAbout('zebra ten').length, 0);
});
