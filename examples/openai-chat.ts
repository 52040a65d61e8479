// Chat with the official openai package, unchanged but for its address. Start the gateway first: npm start
import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:8484/v1',
  apiKey: process.env.ONETAKE_API_KEY ?? 'local',
  // One retry loop is enough: the gateway's.
  maxRetries: 0,
});

try {
  const stream = await client.chat.completions.create({
    // Without a key for it the sandbox plays it; sandbox/die-mid-stream breaks off half way.
    model: process.env.ONETAKE_CHAT_MODEL ?? 'gpt-5.6-luna',
    messages: [{ role: 'user', content: 'a word on foxes' }],
    stream: true,
    // Without it the stream tells no usage, and what it cost is an estimate.
    stream_options: { include_usage: true },
  });
  for await (const { choices, usage } of stream) {
    process.stdout.write(choices[0]?.delta.content ?? '');
    if (usage) console.log(`\n${usage.total_tokens} tokens`);
  }
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  // Before the first content an error has its status; after it the stream ends with one, which has none.
  console.error(`\n${error.status ?? 'broken off'} ${error.code}: ${error.message}`);
  process.exitCode = 1;
}
