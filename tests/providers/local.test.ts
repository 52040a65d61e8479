import { LOCAL } from '../rig/imitated-providers.ts';
import { FREE, proveMatrix } from '../rig/provider-matrix.ts';

proveMatrix(LOCAL, FREE);
