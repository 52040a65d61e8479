import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { deepinfra } from './deepinfra.ts';
import fixtures from './fixtures/deepinfra.json' with { type: 'json' };

testProvider(deepinfra, providerFixtures(fixtures));
