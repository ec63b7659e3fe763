import { createChecks } from '../options/checks.js';
import type { RequestCounts } from './issuer-server.js';
import type { TestApiKeyOptions, TestIssuer, TestPolicyOptions, TestTokenOptions, TestTokens } from './test-issuer.js';
import { TokenIssuer } from './token-issuer.js';

export type { RequestCounts, TestApiKeyOptions, TestIssuer, TestPolicyOptions, TestTokenOptions, TestTokens };

/** The options of `createTestIssuer()`. */
export interface TestIssuerOptions {
  /**
   * The `iss` of its tokens. `listen()` replaces it with the address of the server. With `{tenantid}` in it, such as
   * `https://issuer.test/{tenantid}/v2.0`, each token is one of a tenant: see `tenant()`.
   *
   * @default 'https://issuer.test'
   */
  readonly issuer?: string | undefined;
}

const DEFAULT_ISSUER = 'https://issuer.test';

/**
 * Creates an issuer for a test suite. It needs no network, no fake clock and no `await`.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth } from 'express-mcp-auth';
 * import { createTestIssuer } from 'express-mcp-auth/testing';
 * import request from 'supertest';
 *
 * const issuer = createTestIssuer();
 * const app = express();
 * app.use(mcpAuth(issuer.policy({ resource: 'https://mcp.example.com/mcp' })));
 *
 * await request(app).get('/mcp').auth(issuer.token({ sub: 'alice' }), { type: 'bearer' }).expect(404);
 * await request(app).get('/mcp').auth(issuer.forgedToken(), { type: 'bearer' }).expect(401);
 * ```
 *
 * @throws {ConfigError}
 */
export function createTestIssuer(options: Readonly<TestIssuerOptions> = {}): TestIssuer {
  return new TokenIssuer(resolveName(options));
}

function resolveName(options: Readonly<TestIssuerOptions>): string {
  const checks = createChecks('createTestIssuer()');
  const given = checks.record(options, 'options', 'Leave it out, or give { issuer }.');
  checks.knownKeys(given, '', ['issuer'] satisfies (keyof TestIssuerOptions)[]);
  if (given.issuer === undefined) return DEFAULT_ISSUER;
  return checks.string(given.issuer, 'issuer', `Leave it out for "${DEFAULT_ISSUER}".`);
}
