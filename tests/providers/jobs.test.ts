import { JOBS } from '../rig/imitated-providers.ts';
import { PAID, proveMatrix } from '../rig/provider-matrix.ts';

proveMatrix(JOBS, PAID);
