/** The API that a token is wanted for. */
export interface ExchangeTarget {
  readonly audiences: readonly string[];
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
}

/** The way in which a server exchanges the token of a user for one of another API. */
export interface ExchangeRules {
  /** Its token endpoint. Undefined if the metadata names it. */
  readonly endpoint: ((issuer: string) => string) | undefined;
  /** The way to send the client's id and secret, if the policy does not say. */
  readonly authMethod: 'client_secret_basic' | 'client_secret_post';
  /** The names of the API that the server reads; it needs one of them. */
  readonly targets: readonly (keyof ExchangeTarget)[];
  /** True if the answer has `issued_token_type`. */
  readonly namesTokenType: boolean;
  /** Returns the parameters of the request, without the client's credentials. */
  parameters(subjectToken: string, target: ExchangeTarget): readonly (readonly [name: string, value: string])[];
  /** Returns the server's own code for a refusal. */
  refusalDetail(description: string): string | undefined;
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** OAuth 2.0 Token Exchange (RFC 8693). */
export const TOKEN_EXCHANGE: ExchangeRules = Object.freeze({
  endpoint: undefined,
  authMethod: 'client_secret_basic' as const,
  targets: Object.freeze(['audiences', 'resources', 'scopes'] as const),
  namesTokenType: true,
  parameters: (subjectToken: string, { audiences, resources, scopes }: ExchangeTarget) => [
    ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'] as const,
    ['subject_token', subjectToken] as const,
    ['subject_token_type', ACCESS_TOKEN] as const,
    ['requested_token_type', ACCESS_TOKEN] as const,
    ...audiences.map((audience) => ['audience', audience] as const),
    ...resources.map((resource) => ['resource', resource] as const),
    ...scopeParameter(scopes),
  ],
  refusalDetail: () => undefined,
});

/** Entra's on-behalf-of flow, which is an extension of the JWT bearer grant (RFC 7523). Only scopes name the API. */
export const ON_BEHALF_OF: Omit<ExchangeRules, 'endpoint'> = Object.freeze({
  authMethod: 'client_secret_post' as const,
  targets: Object.freeze(['scopes'] as const),
  namesTokenType: false,
  parameters: (subjectToken: string, { scopes }: ExchangeTarget) => [
    ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'] as const,
    ['assertion', subjectToken] as const,
    ['requested_token_use', 'on_behalf_of'] as const,
    ...scopeParameter(scopes),
  ],
  // Only the code: the rest of the description may contain personal data.
  refusalDetail: (description: string) => /^AADSTS\d{3,10}\b/.exec(description)?.[0],
});

function scopeParameter(scopes: readonly string[]) {
  return scopes.length === 0 ? [] : [['scope', scopes.join(' ')] as const];
}
