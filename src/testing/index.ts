import type { IntrospectionOptions, Jwks, KnownApiKey, SingleIssuerPolicy } from '../index.js';
import { createChecks } from '../options/checks.js';
import { TENANT_ID } from '../policy/issuer-tenants.js';
import { wellKnownJwksUrl } from '../providers/provider.js';
import { INTROSPECTION_PATH, type IssuerServer, type RequestCounts, startIssuerServer } from './issuer-server.js';
import { createSigningKey, type SigningKey } from './signing-key.js';
import { createTestCredentials, INTROSPECTION_CLIENT } from './test-credentials.js';

export type { RequestCounts };

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

/** The options of a policy, except `issuer` and `jwks`, which the test issuer sets. `resource` goes into `resourceMetadata`. */
export type TestPolicyOptions = Omit<SingleIssuerPolicy, 'issuer' | 'jwks' | 'issuers'> & {
  /** The URL under which clients reach the MCP server. It is the default audience of tokens. */
  readonly resource: string;
};

/** The claims of a token. */
export interface TestTokenOptions {
  /** The user. @default 'test-user' */
  readonly sub?: string | undefined;
  /** The scopes of the claim `scope`. @default [] */
  readonly scopes?: readonly string[] | undefined;
  /** The claim `client_id`. @default 'test-client' */
  readonly clientId?: string | undefined;
  /** Seconds from now. @default 3600 */
  readonly expiresInSeconds?: number | undefined;
  /** Further claims. They override all others, and `undefined` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Further members of the JOSE header. They override the others, and `undefined` removes a member. */
  readonly header?: Readonly<Record<string, unknown>> | undefined;
}

/** The properties of an API key. */
export interface TestApiKeyOptions {
  /** The user. @default 'test-user' */
  readonly subject?: string | undefined;
  /** The scopes of the key. @default [] */
  readonly scopes?: readonly string[] | undefined;
  /** Seconds from now. @default 3600 */
  readonly expiresInSeconds?: number | undefined;
}

/** The tokens of an issuer, or of one tenant of it. */
export interface TestTokens {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /** Makes a valid token for the policy that was made last: for its first audience, or else for its resource. */
  token(options?: TestTokenOptions): string;
  /** Makes a valid token for another audience than the policy's. */
  tokenFor(audience: string, options?: TestTokenOptions): string;
  /** Makes a token that expired a day ago, longer than any clock tolerance. */
  expiredToken(options?: TestTokenOptions): string;
  /** Makes a token that names this issuer and its key, but is signed with another key. */
  forgedToken(options?: TestTokenOptions): string;
}

/** An authorization server for tests. It makes tokens, and the policy that accepts them. */
export interface TestIssuer extends TestTokens {
  /** Makes a policy for `mcpAuth()` and `protectedResourceMetadata()`. It accepts this issuer's tokens for this resource. */
  policy(options: TestPolicyOptions): SingleIssuerPolicy;
  /**
   * Makes tokens of one tenant, for a policy with `tenants`: their `iss` has this id in place of `{tenantid}`, and their `tid` is the id.
   *
   * @throws {Error} If the issuer has no `{tenantid}` in its name.
   */
  tenant(id: string): TestTokens;
  /** Makes an API key. The policy needs `apiKeys: issuer.apiKeys`. */
  apiKey(options?: TestApiKeyOptions): string;
  /** The option `apiKeys` of a policy that accepts the keys of `apiKey()`. */
  readonly apiKeys: (sha256: string) => KnownApiKey | undefined;
  /** Makes an opaque token for the policy that was made last. The policy needs `introspection: issuer.introspection`. */
  opaqueToken(options?: TestTokenOptions): string;
  /** The option `introspection` of a policy that accepts the tokens of `opaqueToken()`. The issuer must listen. */
  readonly introspection: IntrospectionOptions;
  /**
   * Signs with a new key from now on, and removes the old one from the key set. Existing policies use the new key set at once;
   * policies of a listening issuer, when the middleware next fetches the key set.
   */
  rotateKeys(): void;
  /**
   * Serves the key set and the metadata over HTTP on a free loopback port. Resolves to the address, which becomes `issuer`. Call it
   * first: it rejects after `policy()` or a token, which would name another issuer. After `close()`, it listens at the same address
   * again.
   */
  listen(): Promise<string>;
  /** The number of requests for the key set, for the metadata and for introspection. */
  readonly requests: Readonly<RequestCounts>;
  /** Stops listening and closes all connections, to simulate an outage. */
  close(): Promise<void>;
}

const DEFAULTS = Object.freeze({ issuer: 'https://issuer.test', sub: 'test-user', clientId: 'test-client' });
const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

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
  readonly #credentials = createTestCredentials();

  readonly apiKeys = this.#credentials.findApiKey;

  constructor(name: string) {
    this.#name = name;
  }

  get issuer(): string {
    return this.#name;
  }

  get requests(): Readonly<RequestCounts> {
    return this.#server?.requests ?? { jwks: 0, metadata: 0, introspection: 0 };
  }

  policy({ resource, resourceMetadata, ...others }: TestPolicyOptions): SingleIssuerPolicy {
    this.#isInUse = true;
    this.#audience = others.audiences?.[0] ?? resource;
    return {
      ...others,
      issuer: this.#name,
      jwks: this.#server === undefined ? () => this.#jwks : { url: wellKnownJwksUrl(this.#server.url) },
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

  apiKey(options: TestApiKeyOptions = {}): string {
    const { subject = DEFAULTS.sub, scopes = [], expiresInSeconds = HOUR_SECONDS } = options;
    const expires = new Date(Date.now() + expiresInSeconds * 1_000).toISOString();
    return this.#credentials.makeApiKey({ subject, scopes, expires });
  }

  opaqueToken(options: TestTokenOptions = {}): string {
    this.#requireServer();
    return this.#credentials.makeOpaqueToken(this.#claims(this.#policyAudience(), options));
  }

  get introspection(): IntrospectionOptions {
    return { ...INTROSPECTION_CLIENT, endpoint: `${this.#requireServer().url}${INTROSPECTION_PATH}` };
  }

  rotateKeys(): void {
    this.#keysMade += 1;
    this.#key = createSigningKey(`test-key-${this.#keysMade}`);
    this.#jwks = { keys: [this.#key.jwk] };
  }

  tenant(id: string): TestTokens {
    if (!this.#name.includes(TENANT_ID)) {
      throw new Error(
        `createTestIssuer(): write createTestIssuer({ issuer: "https://issuer.test/${TENANT_ID}/v2.0" }) for tenant().`,
      );
    }
    const issuer = this.#name.replace(TENANT_ID, () => id);
    const ofTenant = (options: TestTokenOptions = {}) => ({
      ...options,
      claims: { iss: issuer, tid: id, ...options.claims },
    });
    return {
      issuer,
      token: (options) => this.token(ofTenant(options)),
      tokenFor: (audience, options) => this.tokenFor(audience, ofTenant(options)),
      expiredToken: (options) => this.expiredToken(ofTenant(options)),
      forgedToken: (options) => this.forgedToken(ofTenant(options)),
    };
  }

  async listen(): Promise<string> {
    if (this.#server === undefined && this.#isInUse) {
      throw new Error('createTestIssuer(): call listen() before policy() and token(), which name the issuer.');
    }
    if (this.#server === undefined)
      this.#server = await startIssuerServer({ readJwks: () => this.#jwks, introspect: this.#credentials.introspect });
    else await this.#server.open();
    const [, path] = this.#name.split(/(?=\/\{tenantid\})/);
    this.#name = this.#server.url + (path ?? '');
    return this.#name;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  #policyAudience(): string {
    if (this.#audience !== undefined) return this.#audience;
    throw new Error('createTestIssuer(): call policy() first, or name the audience with tokenFor().');
  }

  #requireServer(): IssuerServer {
    if (this.#server !== undefined) return this.#server;
    throw new Error('createTestIssuer(): call listen() first: introspection is a request over HTTP.');
  }

  #sign(key: SigningKey, audience: string, options: TestTokenOptions): string {
    return key.sign(this.#claims(audience, options), options.header ?? {});
  }

  #claims(audience: string, options: TestTokenOptions): Readonly<Record<string, unknown>> {
    this.#isInUse = true;
    const { sub = DEFAULTS.sub, clientId = DEFAULTS.clientId, scopes = [], expiresInSeconds = HOUR_SECONDS } = options;
    const now = Math.floor(Date.now() / 1000);
    const exp = now + expiresInSeconds;
    // A token that is valid was issued now, so that a revocation before it does not count. An expired one was issued before it expired.
    const iat = exp > now ? now : exp - HOUR_SECONDS;
    const known = { iss: this.#name, aud: audience, sub, client_id: clientId, scope: scopes.join(' '), iat, exp };
    return { ...known, ...options.claims };
  }
}
