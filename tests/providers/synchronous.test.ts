import { SYNCHRONOUS } from '../rig/imitated-providers.ts';
import { PAID, proveMatrix } from '../rig/provider-matrix.ts';

proveMatrix(SYNCHRONOUS, PAID);
