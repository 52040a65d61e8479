import { providerFixtures, testProvider } from '../testing/test-provider.ts';
import fixtures from './fixtures/recraft.json' with { type: 'json' };
import { recraft } from './recraft.ts';

testProvider(recraft, providerFixtures(fixtures));
