export type { RequestCounts } from './issuer-server.js';
export {
  createTestIssuer,
  type TestIssuer,
  type TestIssuerOptions,
  type TestPolicyOptions,
  type TestTokenOptions,
} from './test-issuer.js';
