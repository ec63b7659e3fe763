const DPOP =
  'senderConstraint: { dpop: {} } for "accept", senderConstraint: { dpop: { required: true } } for "require", and nothing for "off"';
const MTLS = 'senderConstraint: { mtls: { getCertificate: (req) => … } }';
const URL_OF_KEYS = 'jwks: { url: "https://…" }';

/** A word, a value that users give it, the option that is meant, and how that is written where its name does not say it. */
export type Row = [word: string, value: unknown, option: string, write?: string];

export const ofMcpAuth: readonly Row[] = [
  ['facade', { secret: 'x' }, 'oauthProxy'],
  ['verifiedTokens', false, 'tokenCache'],
  ['cache', { maxEntries: 1 }, 'tokenCache'],
  ['dpop', 'accept', 'senderConstraint.dpop', DPOP],
  ['dpop', 'off', 'senderConstraint.dpop', DPOP],
  ['dpop', 'require', 'senderConstraint.dpop', DPOP],
  ['mtls', { getCertificate: () => undefined }, 'senderConstraint.mtls', MTLS],
  ['jwksUri', 'https://as.example/keys', 'jwks.url', URL_OF_KEYS],
  ['jwks_uri', 'https://as.example/keys', 'jwks.url', URL_OF_KEYS],
  ['jwksUrl', 'https://as.example/keys', 'jwks.url', URL_OF_KEYS],
  [
    'requiredClaims',
    ['tid'],
    'jwtValidationOptions.requiredClaims',
    'jwtValidationOptions: { requiredClaims: ["exp", …] }',
  ],
  ['audience', 'api', 'audiences'],
  ['scopes', ['a'], 'requiredScopes'],
  ['scope', 'a', 'requiredScopes'],
  ['issuerBaseURL', 'https://as.example', 'issuer'],
  ['issuerUrl', 'https://as.example', 'issuer'],
  ['resource', 'https://mcp.example/mcp', 'resourceMetadata.resource', 'resourceMetadata: { resource: "https://…" }'],
  [
    'resourceServerUrl',
    'https://mcp.example/mcp',
    'resourceMetadata.resource',
    'resourceMetadata: { resource: "https://…" }',
  ],
  ['clockTolerance', 5, 'clockToleranceSeconds'],
];
export const ofBackend: readonly Row[] = [
  ['cmd', 'npx', 'command'],
  ['warm', 1, 'warmChildren'],
  ['meta', () => ({}), 'requestMeta'],
  ['passMeta', ['a'], 'allowedClientMeta'],
  ['origins', ['https://a.example'], 'allowedOrigins'],
  ['allowOrigins', ['https://a.example'], 'allowedOrigins'],
  ['stateless', true, 'sessions', 'sessions: false in place of stateless: true'],
];
export const ofIntrospection: readonly Row[] = ['url', 'uri', 'introspectionEndpoint', 'introspectionUrl'].map(
  (word) => [word, 'https://as.example/introspect', 'endpoint'],
);
export const ofLocation: readonly Row[] = ['name', 'headerName'].map((word) => [
  word,
  'X-Token',
  'header',
  '{ header: { name: "…" } }',
]);
export const ofRemote: readonly Row[] = [
  ['target', 'https://mcp.example/mcp', 'url'],
  ['upstream', 'https://mcp.example/mcp', 'url'],
  ['endpoint', 'https://mcp.example/mcp', 'url'],
  ['serverUrl', 'https://mcp.example/mcp', 'url'],
  ['host', 'http://localhost:8000/mcp', 'url'],
  ['baseUrl', 'https://mcp.example/mcp', 'url'],
  ['token', 'abc', 'bearer'],
  ['bearerToken', 'abc', 'bearer'],
  ['accessToken', 'abc', 'bearer'],
  ['authToken', 'abc', 'bearer'],
  ['authorization', 'Bearer abc', 'bearer'],
  ['apiKey', 'abc', 'bearer'],
];
export const ofCors: readonly Row[] = [
  ['origins', ['https://a.example'], 'allowedOrigins'],
  ['origin', /example/, 'allowedOrigins'],
  ['allowOrigins', ['*'], 'allowedOrigins'],
  ['allowHeaders', ['*'], 'allowedHeaders'],
  ['exposeHeaders', ['*'], 'exposedHeaders'],
  ['allowMethods', ['*'], 'methods'],
  ['allowCredentials', true, 'credentials'],
  ['maxAge', '10m', 'maxAgeSeconds'],
];
export const ofRules: readonly Row[] = [
  ['policies', ['true'], 'rules'],
  ['matchExpressions', ['true'], 'rules'],
  ['targets', { a: 'x' }, 'backend'],
  ['onInsufficientScope', 'challenge', 'onDenied'],
];
export const ofRule: readonly Row[] = [
  ['permit', 'true', 'allow'],
  ['if', 'true', 'allow'],
  ['expression', 'true', 'allow'],
  ['block', 'true', 'deny'],
  ['forbid', 'true', 'deny'],
  ['must', 'true', 'require'],
  ['requiredScopes', ['a'], 'scopes'],
];
export const inFile: readonly Row[] = [
  ['allowedOrigins', ['*'], 'allowOrigins'],
  ['origins', ['*'], 'allowOrigins'],
  ['origin', '*', 'allowOrigins'],
  ['allowedHeaders', ['*'], 'allowHeaders'],
  ['exposedHeaders', ['*'], 'exposeHeaders'],
  ['methods', ['*'], 'allowMethods'],
  ['credentials', true, 'allowCredentials'],
  ['maxAgeSeconds', 5, 'maxAge'],
];

export const inRemoteTarget: readonly Row[] = [
  ['target', 'https://mcp.example/mcp', 'host'],
  ['upstream', 'https://mcp.example/mcp', 'host'],
  ['endpoint', 'https://mcp.example/mcp', 'host'],
  ['serverUrl', 'https://mcp.example/mcp', 'host'],
  ['baseUrl', 'https://mcp.example/mcp', 'host'],
];
