import { createMemoryStore } from '../../src/index.js';
import { testStore } from '../support/store-contract.js';

testStore(createMemoryStore);
