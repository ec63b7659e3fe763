import type { IntrospectionOptions, Jwks, SingleIssuerPolicy } from '../index.js';
import { TENANT } from '../oauth/tenant-paths.js';
import { TENANT_ID } from '../policy/issuer-tenants.js';
import { wellKnownJwksUrl } from '../providers/provider.js';
import { INTROSPECTION_PATH, type IssuerServer, type RequestCounts, startIssuerServer } from './issuer-server.js';
import { createSigningKey, type SigningKey } from './signing-key.js';
import { buildTestApiKey, buildTestClaims, readTokenOptions } from './test-claims.js';
import { createTestCredentials, INTROSPECTION_CLIENT } from './test-credentials.js';
import type { TestApiKeyOptions, TestIssuer, TestPolicyOptions, TestTokenOptions, TestTokens } from './test-issuer.js';
import { buildTestPolicy, type TestAudience, testAudienceOf } from './test-policy.js';

const DAY_SECONDS = 86_400;

/** The issuer of `createTestIssuer()`. Its functions are fields, so that they can be taken off the object. */
export class TokenIssuer implements TestIssuer {
  issuer: string;
  readonly requests: RequestCounts = { jwks: 0, metadata: 0, introspection: 0 };
  #key: SigningKey = createSigningKey('test-key-1');
  #jwks: Jwks = { keys: [this.#key.jwk] };
  #keysMade = 1;
  /** The policy that was made last. */
  #policy: SingleIssuerPolicy | undefined;
  #isInUse = false;
  #server: IssuerServer | undefined;
  /** Settles after the last call of `listen()` or `close()`. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #credentials = createTestCredentials();
  readonly apiKeys = this.#credentials.findApiKey;

  constructor(name: string) {
    this.issuer = name;
  }

  readonly policy = (options: TestPolicyOptions): SingleIssuerPolicy => {
    const jwks = this.#server === undefined ? () => this.#jwks : { url: wellKnownJwksUrl(this.#server.url) };
    this.#policy = buildTestPolicy(options, { issuer: this.issuer, jwks });
    this.#isInUse = true;
    return this.#policy;
  };

  readonly token = (options?: TestTokenOptions): string =>
    this.#sign(this.#requireOneAudience(readTokenOptions('token()', options)));

  readonly tokenFor = (audience: string, options?: TestTokenOptions): string =>
    this.#sign(readTokenOptions('tokenFor()', options), { audience });

  readonly expiredToken = (options?: TestTokenOptions): string =>
    this.#sign({ ...readTokenOptions('expiredToken()', options), expiresInSeconds: -DAY_SECONDS });

  readonly forgedToken = (options?: TestTokenOptions): string =>
    this.#sign(readTokenOptions('forgedToken()', options), { key: createSigningKey(this.#key.kid) });

  readonly apiKey = (options?: TestApiKeyOptions): string => this.#credentials.makeApiKey(buildTestApiKey(options));

  readonly opaqueToken = (options?: TestTokenOptions): string => {
    this.#requireServer();
    return this.#credentials.makeOpaqueToken(
      this.#claims(this.#requireOneAudience(readTokenOptions('opaqueToken()', options))),
    );
  };

  get introspection(): IntrospectionOptions {
    return { ...INTROSPECTION_CLIENT, endpoint: `${this.#requireServer().url}${INTROSPECTION_PATH}` };
  }

  readonly rotateKeys = (): void => {
    this.#keysMade += 1;
    this.#key = createSigningKey(`test-key-${this.#keysMade}`);
    this.#jwks = { keys: [this.#key.jwk] };
  };

  readonly tenant = (id: string): TestTokens => {
    if (!this.issuer.includes(TENANT_ID)) {
      throw new Error(
        `createTestIssuer(): write createTestIssuer({ issuer: "https://issuer.test/${TENANT_ID}/v2.0" }) for tenant().`,
      );
    }
    const issuer = this.issuer.replace(TENANT_ID, () => id);
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
  };

  readonly listen = (): Promise<string> => this.#inTurn(() => this.#listen());

  readonly close = (): Promise<void> => this.#inTurn(async () => this.#server?.close());

  /** Lets calls wait for each other: two at once would start two servers, one of which would never be closed. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #listen(): Promise<string> {
    if (this.#server !== undefined) {
      await this.#server.open();
      return this.issuer;
    }
    if (this.#isInUse) {
      throw new Error('createTestIssuer(): call listen() before policy() and token(), which name the issuer.');
    }
    const [, path = ''] = this.issuer.split(/(?=\/\{tenantid\})/);
    const { introspect } = this.#credentials;
    this.#server = await startIssuerServer({ path, readJwks: () => this.#jwks, introspect }, this.requests);
    this.issuer = this.#server.url + path;
    return this.issuer;
  }

  #requireServer(): IssuerServer {
    if (this.#server !== undefined) return this.#server;
    throw new Error('createTestIssuer(): call listen() first: introspection is a request over HTTP.');
  }

  #sign(
    options: TestTokenOptions,
    { audience, key = this.#key }: { audience?: string; key?: SigningKey } = {},
  ): string {
    return key.sign(this.#claims(options, audience), options.header ?? {});
  }

  /** Returns the options of a token that shall be valid. Forged and expired tokens are refused before their audience is read. */
  #requireOneAudience(options: TestTokenOptions): TestTokenOptions {
    const { claim, audience = '' } = this.#audience();
    if (!audience.includes(TENANT) || Object.hasOwn(options.claims ?? {}, claim)) return options;
    const example = JSON.stringify(audience.replace(TENANT, 'acme'));
    throw new Error(`createTestIssuer(): each tenant has an audience of its own: write tokenFor(${example}).`);
  }

  #audience(): TestAudience {
    return this.#policy === undefined ? { claim: 'aud', audience: undefined } : testAudienceOf(this.#policy);
  }

  #claims(options: TestTokenOptions, named?: string): Readonly<Record<string, unknown>> {
    const { claim, audience = named } = this.#audience();
    if (audience === undefined) {
      throw new Error('createTestIssuer(): call policy() first, or name the audience with tokenFor().');
    }
    this.#isInUse = true;
    return buildTestClaims({ issuer: this.issuer, audience: named ?? audience, audienceClaim: claim }, options);
  }
}
