import { openai, openaiCompatible } from './openai.ts';
import type { Provider } from './provider.ts';

/** Every protocol that is spoken natively. A bare model name goes to the first configured one that lists it. */
export const PROVIDERS: readonly Provider[] = [openai, openaiCompatible];
