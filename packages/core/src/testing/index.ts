export { type Behaviour, createScriptedIo, type ScriptedIo, type Sent } from './scripted-io.ts';
export {
  type ProviderFixtures,
  providerFixtures,
  type RecordedAnswer,
  type RecordedEvent,
  testProvider,
} from './test-provider.ts';
export { TINY_PNG_BASE64 } from './tiny-png.ts';
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts';
