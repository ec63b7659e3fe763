import type { IntrospectionOptions, KnownApiKey, SingleIssuerPolicy } from '../index.js';
import type { RequestCounts } from './issuer-server.js';

/** The options of a policy, except `issuer` and `jwks`, which the test issuer sets. `resource` goes into `resourceMetadata`. */
export type TestPolicyOptions = Omit<SingleIssuerPolicy, 'issuer' | 'jwks'> & {
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
  /** Further claims, as `apiKeys` has them. @default {} */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds from now. @default 3600 */
  readonly expiresInSeconds?: number | undefined;
}

/** The tokens of an issuer, or of one tenant of it. Its functions may be taken off the object. */
export interface TestTokens {
  /** The `iss` of its tokens. */
  readonly issuer: string;
  /**
   * Makes a valid token for the policy that was made last: for its first audience, or else for its resource, in the claim that the
   * policy reads.
   *
   * @throws {Error} If there is no policy, or if its resource has `{tenant}`: then name the audience with `tokenFor()`.
   * @throws {ConfigError} If an option is wrong.
   */
  readonly token: (options?: TestTokenOptions) => string;
  /** Makes a valid token for another audience than the policy's. */
  readonly tokenFor: (audience: string, options?: TestTokenOptions) => string;
  /** Makes a token that expired a day ago, longer than any clock tolerance. */
  readonly expiredToken: (options?: TestTokenOptions) => string;
  /** Makes a token that names this issuer and its key, but is signed with another key. */
  readonly forgedToken: (options?: TestTokenOptions) => string;
}

/** An authorization server for tests. It makes tokens, and the policy that accepts them. */
export interface TestIssuer extends TestTokens {
  /**
   * Makes a policy for `mcpAuth()` and `protectedResourceMetadata()`. It accepts this issuer's tokens for this resource.
   *
   * @throws {ConfigError} If the options have several issuers, or a login at an identity provider.
   */
  readonly policy: (options: TestPolicyOptions) => SingleIssuerPolicy;
  /**
   * Makes tokens of one tenant, for a policy with `tenants`: their `iss` has this id in place of `{tenantid}`, and their `tid` is the id.
   *
   * @throws {Error} If the issuer has no `{tenantid}` in its name.
   */
  readonly tenant: (id: string) => TestTokens;
  /** Makes an API key. The policy needs `apiKeys: issuer.apiKeys`. */
  readonly apiKey: (options?: TestApiKeyOptions) => string;
  /** The option `apiKeys` of a policy that accepts the keys of `apiKey()`. */
  readonly apiKeys: (sha256: string) => KnownApiKey | undefined;
  /** Makes an opaque token for the policy that was made last. The policy needs `introspection: issuer.introspection`. */
  readonly opaqueToken: (options?: TestTokenOptions) => string;
  /** The option `introspection` of a policy that accepts the tokens of `opaqueToken()`. The issuer must listen. */
  readonly introspection: IntrospectionOptions;
  /**
   * Signs with a new key from now on, and removes the old one from the key set. Existing policies use the new key set at once;
   * policies of a listening issuer, when the middleware next fetches the key set.
   */
  readonly rotateKeys: () => void;
  /**
   * Serves the key set and the metadata over HTTP on a free loopback port. Resolves to the address, which becomes `issuer`. Call it
   * first: it rejects after `policy()` or a token, which would name another issuer. After `close()`, it listens at the same address
   * again.
   */
  readonly listen: () => Promise<string>;
  /** The number of requests for the key set, for the metadata and for introspection. */
  readonly requests: Readonly<RequestCounts>;
  /** Stops listening and closes all connections, to simulate an outage. */
  readonly close: () => Promise<void>;
}
