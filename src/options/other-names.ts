import { lowerAscii } from '../http/lower-ascii.js';

/** An option with its other names: in other tools, in the other form of the configuration (code or file), or in earlier versions. */
export interface OtherNames {
  /** Its path, for example `jwks.url`. */
  readonly option: string;
  /** Its other names. Case, underscores and hyphens make no difference. */
  readonly words: readonly string[];
  /** The way to write it, if the name alone does not say that. */
  readonly write?: string;
}

/** A word may have several entries, because code and file differ. The one whose option is known at that place counts. */
export const OTHER_NAMES: readonly OtherNames[] = [
  { option: 'oauthProxy', words: ['facade'] },
  { option: 'tokenCache', words: ['verifiedTokens', 'cache'] },
  {
    option: 'senderConstraint.dpop',
    words: ['dpop'],
    write:
      'senderConstraint: { dpop: {} } for "accept", senderConstraint: { dpop: { required: true } } for "require", and nothing for "off"',
  },
  {
    option: 'senderConstraint.mtls',
    words: ['mtls'],
    write: 'senderConstraint: { mtls: { getCertificate: (req) => … } }',
  },
  { option: 'jwks.url', words: ['jwksUri', 'jwksUrl'], write: 'jwks: { url: "https://…" }' },
  {
    option: 'jwtValidationOptions.requiredClaims',
    words: ['requiredClaims'],
    write: 'jwtValidationOptions: { requiredClaims: ["exp", …] }',
  },
  { option: 'audiences', words: ['audience'] },
  { option: 'requiredScopes', words: ['scopes', 'scope'] },
  { option: 'issuer', words: ['issuerBaseURL', 'issuerUrl'] },
  {
    option: 'resourceMetadata.resource',
    words: ['resource', 'resourceServerUrl'],
    write: 'resourceMetadata: { resource: "https://…" }',
  },
  { option: 'clockToleranceSeconds', words: ['clockTolerance'] },
  { option: 'command', words: ['cmd'] },
  { option: 'url', words: ['target', 'host', 'upstream', 'endpoint', 'serverUrl', 'baseUrl'] },
  { option: 'endpoint', words: ['url', 'uri', 'introspectionEndpoint', 'introspectionUrl'] },
  { option: 'header', words: ['name', 'headerName'], write: '{ header: { name: "…" } }' },
  { option: 'sessions', words: ['stateless'], write: 'sessions: false in place of stateless: true' },
  { option: 'bearer', words: ['token', 'apiKey', 'bearerToken', 'accessToken', 'authToken', 'authorization'] },
  { option: 'rules', words: ['policies', 'matchExpressions'] },
  { option: 'backend', words: ['targets'] },
  { option: 'onDenied', words: ['onInsufficientScope'] },
  { option: 'allow', words: ['permit', 'if', 'expression'] },
  { option: 'deny', words: ['block', 'forbid'] },
  { option: 'require', words: ['must'] },
  { option: 'scopes', words: ['requiredScopes'] },
  { option: 'warmChildren', words: ['warm'] },
  { option: 'requestMeta', words: ['meta'] },
  { option: 'allowedClientMeta', words: ['passMeta'] },
  { option: 'allowedOrigins', words: ['origins', 'origin', 'allowOrigins'] },
  { option: 'allowedHeaders', words: ['allowHeaders'] },
  { option: 'exposedHeaders', words: ['exposeHeaders'] },
  { option: 'methods', words: ['allowMethods'] },
  { option: 'credentials', words: ['allowCredentials'] },
  { option: 'maxAgeSeconds', words: ['maxAge'] },
  // The names in a configuration file.
  { option: 'cmd', words: ['command'] },
  { option: 'host', words: ['target', 'upstream', 'endpoint', 'serverUrl', 'baseUrl'] },
  { option: 'allowOrigins', words: ['origins', 'origin', 'allowedOrigins'] },
  { option: 'allowHeaders', words: ['allowedHeaders'] },
  { option: 'exposeHeaders', words: ['exposedHeaders'] },
  { option: 'allowMethods', words: ['methods'] },
  { option: 'allowCredentials', words: ['credentials'] },
  { option: 'maxAge', words: ['maxAgeSeconds'] },
];

/** Options of other tools that have no counterpart here. `beside` is an option of the same object, with the advice. */
const NEEDLESS_NAMES: readonly { readonly word: string; readonly beside: string; readonly fix: string }[] = [
  {
    word: 'sessions',
    beside: 'requestHeaders',
    fix: 'mcpHttpBackend() passes the sessions of the MCP server through: use mcpBackend({ targets: { name: { url } }, sessions: false }).',
  },
  {
    word: 'requestHeaders',
    beside: 'connectTimeoutSeconds',
    fix: 'mcpBackend() passes no other header of a client on: use mcpHttpBackend({ url, requestHeaders }).',
  },
  {
    word: 'targets',
    beside: 'maxSessionsPerUser',
    fix: 'Several servers behind one address: use mcpBackend({ targets: { name: { … } } }).',
  },
  ...[
    ...['command', 'args', 'env', 'cwd', 'inheritEnv', 'inheritNetworkEnv', 'warmChildren'],
    ...['url', 'headers', 'callerToken'],
  ].map((word) => ({
    word,
    beside: 'targets',
    fix: `Write it as a member of a target: mcpBackend({ targets: { name: { ${word}: … } } }).`,
  })),
  {
    word: 'verifier',
    beside: 'audiences',
    fix: 'Give issuer, whose JWTs mcpAuth() verifies itself; write verifiers: [async (token) => …] for opaque tokens.',
  },
  {
    word: 'algorithms',
    beside: 'audiences',
    fix: 'Each key decides which algorithms it verifies; shared secrets (HS256) and "none" are never accepted.',
  },
  { word: 'clientSecret', beside: 'redirectUris', fix: 'Write secret: the one that this client must send.' },
  { word: 'clientSecret', beside: 'legacyEndpoints', fix: 'Write clientId and clientSecret beside oauthProxy.' },
  {
    word: 'secret',
    beside: 'audiences',
    fix: 'Give jwks for the keys of tokens, since shared secrets (HS256) are never accepted; write oauthProxy: { secret: … } for the OAuth proxy.',
  },
];

/** Options of other tools that say who may log in, with the expression of a file and the function that say the same. */
const LOGIN_RULES = [
  { words: ['hd', 'hostedDomain', 'domain', 'domains'], rule: `profile.hd == "example.com"` },
  {
    words: ['organization', 'organizations', 'organisation', 'organisations', 'org', 'orgs'],
    rule: `"acme" in profile.organizations`,
    code: `(profile.organizations as string[]).includes("acme")`,
    also: ' It needs scopes: ["read:org"] at GitHub.',
  },
  {
    words: ['group', 'groups'],
    rule: `"acme" in profile.groups`,
    code: `(profile.groups as string[]).includes("acme")`,
  },
  { words: ['login', 'logins', 'user', 'users', 'username', 'usernames'], rule: `profile.login == "octocat"` },
  { words: ['email', 'emails'], rule: `profile.email == "alice@example.com"` },
];

const NEEDLESS_LOGIN_RULES = LOGIN_RULES.flatMap(({ words, rule, code = rule.replace('==', '==='), also = '' }) => {
  const fix = `Write it in "allow": allow: (profile) => ${code}; in a configuration file, allow: '${rule}'.${also}`;
  return words.map((word) => ({ word, beside: 'dangerouslyAllowEveryone', fix }));
});

/** Returns the advice for an option of another tool that must be left out; undefined if it is not known. */
export function adviceToLeaveOut(word: string, known: readonly string[]): string | undefined {
  const folded = fold(word);
  return [...NEEDLESS_NAMES, ...NEEDLESS_LOGIN_RULES].find(
    ({ word: other, beside }) => fold(other) === folded && known.includes(beside),
  )?.fix;
}

/** Former values of options, with their current names. */
const OTHER_VALUES: ReadonlyMap<unknown, string> = new Map([['toolError', 'jsonRpcError']]);

/** Finds the option of the `known` ones that has `word` as another name; undefined if there is none. */
export function otherNameFor(word: string, known: readonly string[]): OtherNames | undefined {
  const folded = fold(word);
  return OTHER_NAMES.find(
    ({ option, words }) => known.includes(option.replace(/\..*/, '')) && words.some((other) => fold(other) === folded),
  );
}

/** Returns the current name of a former value; undefined if `known` does not have it. */
export function otherValueFor(value: unknown, known: readonly string[]): string | undefined {
  const other = OTHER_VALUES.get(value);
  return other !== undefined && known.includes(other) ? other : undefined;
}

/** The advice for a user who wrote another name: one sentence. */
export function writeAs({ option, write }: OtherNames): string {
  return write === undefined ? `Write "${option}".` : `Write ${write}.`;
}

function fold(word: string): string {
  return lowerAscii(word.replace(/[_-]/g, ''));
}
