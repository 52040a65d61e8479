import { AGGREGATORS } from '../rig/imitated-providers.ts';
import { PAID, proveMatrix } from '../rig/provider-matrix.ts';

proveMatrix(AGGREGATORS, PAID);
