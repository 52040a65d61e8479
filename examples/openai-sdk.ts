// The official openai package, unchanged but for its address. Start the gateway first: npm start
import { writeFile } from 'node:fs/promises';
import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:8484/v1',
  apiKey: process.env.ONETAKE_API_KEY ?? 'local',
  // A picture may take minutes; the gateway has its own clocks, and says which one ran out.
  timeout: 15 * 60_000,
});

try {
  // No model: the gateway's default answers.
  const { data, _request_id } = await client.images.generate({ prompt: 'a red fox in the snow' });
  await writeFile('fox.png', Buffer.from(data?.[0]?.b64_json ?? '', 'base64'));
  console.log(`fox.png, request ${_request_id}`);
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  // 424 outcome_unknown: the picture may be made and billed; whether to pay again is yours to say.
  console.error(error.status, error.code, error.message);
  process.exitCode = 1;
}
