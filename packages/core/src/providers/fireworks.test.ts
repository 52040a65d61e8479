import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import { fireworks } from './fireworks.ts';
import fixtures from './fixtures/fireworks.json' with { type: 'json' };

testProvider(fireworks, providerFixtures(fixtures));
