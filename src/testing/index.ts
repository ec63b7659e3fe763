import type { Jwks, SingleIssuerPolicy } from '../index.js';
import { createChecks } from '../options/checks.js';
import { STANDARD } from '../providers/provider.js';
import { type IssuerServer, type RequestCounts, startIssuerServer } from './issuer-server.js';
import { createSigningKey, type SigningKey } from './signing-key.js';

export type { RequestCounts };

/** The options of `createTestIssuer()`. */
export interface TestIssuerOptions {
  /**
   * The `iss` of its tokens. Once it listens, its address takes this place.
   *
   * @default 'https://issuer.test'
   */
  readonly issuer?: string | undefined;
}

/** A policy without what the issuer knows itself; `resource` goes into `resourceMetadata`. */
export type TestPolicyOptions = Omit<SingleIssuerPolicy, 'issuer' | 'jwks' | 'issuers'> & {
  /** The URL under which clients reach the MCP server; what its tokens are meant for. */
  readonly resource: string;
};

/** The claims of a token. Its signature is always that of the issuer's key, and always valid. */
export interface TestTokenOptions {
  /** The user. @default 'test-user' */
  readonly sub?: string | undefined;
  /** The claim `scope`. @default [] */
  readonly scopes?: readonly string[] | undefined;
  /** The claim `client_id`. @default 'test-client' */
  readonly clientId?: string | undefined;
  /** Seconds from now. @default 3600 */
  readonly expiresInSeconds?: number | undefined;
  /** Further claims; they win over all others, and one that is `undefined` is left out of the token. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Further members of the JOSE header; they win too. */
  readonly header?: Readonly<Record<string, unknown>> | undefined;
}

/** An authorization server for tests: makes tokens, and the policy that accepts them. */
export interface TestIssuer {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** For `mcpAuth()` and `protectedResourceMetadata()`. Accepts what this issuer signs, for this resource. */
  policy(options: TestPolicyOptions): SingleIssuerPolicy;
  /** A good token for the resource of the policy made last. */
  token(options?: TestTokenOptions): string;
  /** A good token for another audience than the policy's. */
  tokenFor(audience: string, options?: TestTokenOptions): string;
  /** Expired a day ago, which no clock tolerance forgives. */
  expiredToken(options?: TestTokenOptions): string;
  /** Names this issuer and its key, and is signed with another key. */
  forgedToken(options?: TestTokenOptions): string;
  /**
   * Signs with a new key from now on, and takes the old one out of the key set. Policies made before follow at once;
   * those of a listening issuer when the middleware next fetches the key set.
   */
  rotateKeys(): void;
  /**
   * Serves key set and metadata over HTTP on a free loopback port; resolves to its address, which is `issuer` from now
   * on. Call it before anything else: policies and tokens made before would name another issuer. After `close()` it listens
   * there again.
   */
  listen(): Promise<string>;
  /** How often the key set and the metadata have been fetched. */
  readonly requests: Readonly<RequestCounts>;
  /** Stops listening, as an outage would. */
  close(): Promise<void>;
}

const DEFAULTS = Object.freeze({ issuer: 'https://issuer.test', sub: 'test-user', clientId: 'test-client' });
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/**
 * Makes an issuer for a test suite: no network, no clock to fake, nothing to await.
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
 */
export function createTestIssuer(options: Readonly<TestIssuerOptions> = {}): TestIssuer {
  return new Issuer(resolveName(options));
}

function resolveName(options: Readonly<TestIssuerOptions>): string {
  const checks = createChecks('createTestIssuer()');
  const given = checks.record(options, 'options', 'Leave it out, or give { issuer }.');
  checks.knownKeys(given, '', ['issuer'] satisfies (keyof TestIssuerOptions)[]);
  if (given.issuer === undefined) return DEFAULTS.issuer;
  return checks.string(given.issuer, 'issuer', `Leave it out for "${DEFAULTS.issuer}".`);
}

class Issuer implements TestIssuer {
  #name: string;
  #key: SigningKey = createSigningKey('test-key-1');
  #jwks: Jwks = { keys: [this.#key.jwk] };
  #keysMade = 1;
  #audience: string | undefined;
  #server: IssuerServer | undefined;
  #isInUse = false;

  constructor(name: string) {
    this.#name = name;
  }

  get issuer(): string {
    return this.#name;
  }

  get requests(): Readonly<RequestCounts> {
    return this.#server?.requests ?? { jwks: 0, metadata: 0 };
  }

  policy({ resource, resourceMetadata, ...others }: TestPolicyOptions): SingleIssuerPolicy {
    this.#isInUse = true;
    this.#audience = others.audiences?.[0] ?? resource;
    return {
      ...others,
      issuer: this.#name,
      jwks: this.#server === undefined ? () => this.#jwks : { url: STANDARD.jwksUrl(this.#name) },
      resourceMetadata: { ...resourceMetadata, resource },
    };
  }

  token(options?: TestTokenOptions): string {
    return this.tokenFor(this.#policyAudience(), options);
  }

  tokenFor(audience: string, options: TestTokenOptions = {}): string {
    return this.#sign(this.#key, audience, options);
  }

  expiredToken(options: TestTokenOptions = {}): string {
    return this.token({ ...options, expiresInSeconds: -DAY_SECONDS });
  }

  forgedToken(options: TestTokenOptions = {}): string {
    return this.#sign(createSigningKey(this.#key.kid), this.#policyAudience(), options);
  }

  rotateKeys(): void {
    this.#keysMade += 1;
    this.#key = createSigningKey(`test-key-${this.#keysMade}`);
    this.#jwks = { keys: [this.#key.jwk] };
  }

  async listen(): Promise<string> {
    if (this.#server === undefined && this.#isInUse) {
      throw new Error('createTestIssuer(): call listen() before policy() and token(), which name the issuer.');
    }
    if (this.#server === undefined) this.#server = await startIssuerServer(() => this.#jwks);
    else await this.#server.open();
    this.#name = this.#server.url;
    return this.#name;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #policyAudience(): string {
    if (this.#audience !== undefined) return this.#audience;
    throw new Error('createTestIssuer(): call policy() first, or name the audience with tokenFor().');
  }

  #sign(key: SigningKey, audience: string, options: TestTokenOptions): string {
    this.#isInUse = true;
    const { sub = DEFAULTS.sub, clientId = DEFAULTS.clientId, scopes = [], expiresInSeconds = HOUR_SECONDS } = options;
    const now = Math.floor(Date.now() / 1000);
    const exp = now + expiresInSeconds;
    const iat = Math.min(now, exp - HOUR_SECONDS);
    const known = { iss: this.#name, aud: audience, sub, client_id: clientId, scope: scopes.join(' '), iat, exp };
    return key.sign({ ...known, ...options.claims }, options.header ?? {});
  }
}
