import fc from 'fast-check';
import { TEST_SEED } from './seed.js';

fc.configureGlobal({ seed: TEST_SEED });
