// Vercel's AI SDK through the gateway. Start the gateway first: npm start
import { writeFile } from 'node:fs/promises';
import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';

const provider = createOpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://127.0.0.1:8484/v1',
  apiKey: process.env.ONETAKE_API_KEY ?? 'local',
});

const { image } = await generateImage({
  model: provider.image(process.env.ONETAKE_MODEL ?? 'gpt-image-2'),
  prompt: 'a red fox in the snow',
  // The gateway owns the one retry loop. It answers what may have been billed with 424, which this SDK does not repeat.
  maxRetries: 0,
});
await writeFile('fox.png', image.uint8Array);
console.log(`fox.png, ${image.uint8Array.length} bytes`);
