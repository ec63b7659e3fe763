import { describe, expect, test } from 'vitest';
import { ADMIN_TABLE } from '../../src/admin/admin-options.js';
import { AUTHORIZATION_TABLE } from '../../src/authorization/authorization-options.js';
import { SCOPES_TABLE } from '../../src/authorization/scopes-options.js';
import { BRIDGE_TABLE } from '../../src/bridge/bridge-options.js';
import { CALLER_TOKEN_TABLE } from '../../src/bridge/http/caller-token-options.js';
import { HTTP_TABLE } from '../../src/bridge/http/http-options.js';
import { RETRY_TABLE } from '../../src/bridge/http/retry-options.js';
import { BACKEND_TABLE } from '../../src/bridge/mcp-backend-options.js';
import { STDIO_TABLE } from '../../src/bridge/stdio-options.js';
import { CORS_TABLE } from '../../src/cors/cors-options.js';
import { LIMIT_TABLE, LIMITS_TABLE } from '../../src/limits/limits-options.js';
import type { OptionRow } from '../../src/options/option-table.js';
import { IDENTITY_TABLES, RULES_TABLE } from '../../src/policy/identity-tables.js';
import { SWITCH_TABLE } from '../../src/policy/provider-switches.js';
import { SHARED_TABLE } from '../../src/policy/resolve-auth.js';
import { CLIENT_DOCUMENTS_TABLE } from '../../src/policy/resolve-client-documents.js';
import { CREDENTIAL_TABLE, INTROSPECTION_TABLE } from '../../src/policy/resolve-credentials.js';
import { ISSUER_TABLE, VALIDATION_TABLE } from '../../src/policy/resolve-issuer.js';
import { OAUTH_PROXY_TABLE } from '../../src/policy/resolve-oauth-proxy.js';
import { PROXY_CLIENT_TABLE } from '../../src/policy/resolve-proxy-clients.js';
import { METADATA_TABLE } from '../../src/policy/resolve-resource.js';
import { DPOP_TABLE, MTLS_TABLE, SENDER_CONSTRAINT_TABLE } from '../../src/policy/resolve-sender-constraint.js';
import { EXCHANGE_TABLE, UPSTREAM_TOKEN_TABLE } from '../../src/policy/resolve-upstream-token.js';
import { TOKEN_CACHE_TABLE } from '../../src/policy/token-cache-options.js';
import { REDIS_STORE_TABLE } from '../../src/store/redis-store.js';
import { CALLS_TABLE } from '../../src/telemetry/calls-options.js';
import { TELEMETRY_TABLE } from '../../src/telemetry/opentelemetry/start-telemetry.js';
import { optionsOfInterface, optionsOfPage, written } from '../support/documented-options.js';

/** The places where the options of one table are documented. */
interface Documented {
  readonly table: Readonly<Record<string, OptionRow>>;
  readonly file: string;
  readonly type: string;
  /** The types that it extends, each after its file. */
  readonly parents?: readonly (readonly [file: string, type: string])[];
  readonly heading: string;
  /** The option that they are members of. */
  readonly path?: string;
}

const AUTH_HEADING = 'mcpAuth() and protectedResourceMetadata()';
const BACKEND = ['bridge/backend-options.ts', 'BackendOptions'] as const;
const CALLS = ['telemetry/call-record.ts', 'CallOptions'] as const;
const BRIDGE = ['bridge/bridge-options.ts', 'BridgeOptions'] as const;
/** Those that mcpBackend() shares with mcpStdioBackend() are documented there. */
const OWN_BACKEND_TABLE = Object.fromEntries(
  Object.entries(BACKEND_TABLE).filter(([option]) => !Object.hasOwn(BRIDGE_TABLE, option)),
);
/** Those that all identity providers have are documented once. */
const OWN_OAUTH2_TABLE = Object.fromEntries(
  Object.entries(IDENTITY_TABLES.oauth2).filter(([option]) => !Object.hasOwn(RULES_TABLE, option)),
);
const IDENTITY = 'policy/identity-options.ts';
const [AUTH, ISSUER] = ['policy/auth-options.ts', 'policy/issuer-options.ts'];
const OAUTH_PROXY = 'policy/oauth-proxy-options.ts';
const UPSTREAM_TOKEN = 'policy/upstream-token-options.ts';
const CREDENTIALS = 'policy/credential-options.ts';
const [TELEMETRY, IN_APP] = ['telemetry/opentelemetry/start-telemetry.ts', 'telemetry/calls-options.ts'];
const documented: readonly Documented[] = [
  { table: SHARED_TABLE, file: AUTH, type: 'SharedOptions', heading: AUTH_HEADING },
  { table: CREDENTIAL_TABLE, file: CREDENTIALS, type: 'CredentialOptions', heading: AUTH_HEADING },
  { table: ISSUER_TABLE, file: ISSUER, type: 'IssuerOptions', heading: AUTH_HEADING },
  {
    path: 'jwtValidationOptions',
    table: VALIDATION_TABLE,
    file: ISSUER,
    type: 'JwtValidationOptions',
    heading: AUTH_HEADING,
  },
  ...[
    { path: 'resourceMetadata', table: METADATA_TABLE, type: 'KnownMetadataMembers' },
    { path: 'tokenCache', table: TOKEN_CACHE_TABLE, type: 'TokenCacheOptions' },
    { path: 'senderConstraint', table: SENDER_CONSTRAINT_TABLE, type: 'SenderConstraintOptions' },
    { path: 'senderConstraint.dpop', table: DPOP_TABLE, type: 'DpopOptions' },
    { path: 'senderConstraint.mtls', table: MTLS_TABLE, type: 'MtlsOptions' },
  ].map((nested) => ({ ...nested, file: AUTH, heading: AUTH_HEADING })),
  {
    path: 'upstreamToken',
    table: UPSTREAM_TOKEN_TABLE,
    file: UPSTREAM_TOKEN,
    type: 'UpstreamTokenOptions',
    heading: AUTH_HEADING,
  },
  {
    path: 'upstreamToken.exchange',
    table: EXCHANGE_TABLE,
    file: UPSTREAM_TOKEN,
    type: 'TokenExchangeOptions',
    heading: AUTH_HEADING,
  },
  {
    path: 'introspection',
    table: INTROSPECTION_TABLE,
    file: CREDENTIALS,
    type: 'IntrospectionOptions',
    heading: AUTH_HEADING,
  },
  {
    path: 'oauthProxy',
    table: OAUTH_PROXY_TABLE,
    file: OAUTH_PROXY,
    type: 'OAuthProxyOptions',
    heading: 'The OAuth proxy',
  },
  {
    table: SWITCH_TABLE,
    file: 'providers/switches.ts',
    type: 'ProviderSwitches',
    heading: 'The switches of a provider',
  },
  {
    path: 'oauthProxy.clientDocuments',
    table: CLIENT_DOCUMENTS_TABLE,
    file: 'policy/client-documents-options.ts',
    type: 'ClientDocumentsOptions',
    heading: 'The OAuth proxy',
  },
  {
    path: 'oauthProxy.clients',
    table: PROXY_CLIENT_TABLE,
    file: OAUTH_PROXY,
    type: 'ConfiguredClientOptions',
    heading: 'The OAuth proxy',
  },
  {
    path: 'provider.github',
    table: IDENTITY_TABLES.github,
    file: IDENTITY,
    type: 'GithubOptions',
    parents: [[IDENTITY, 'LoginRules']],
    heading: 'Identity providers',
  },
  {
    path: 'provider.oauth2',
    table: OWN_OAUTH2_TABLE,
    file: IDENTITY,
    type: 'OAuth2Options',
    heading: 'Identity providers',
  },
  {
    table: STDIO_TABLE,
    file: 'bridge/stdio-options.ts',
    type: 'McpStdioBackendOptions',
    parents: [['bridge/child-options.ts', 'ChildOptions'], BRIDGE, BACKEND, CALLS],
    heading: 'mcpStdioBackend()',
  },
  {
    table: OWN_BACKEND_TABLE,
    file: 'bridge/mcp-backend-options.ts',
    type: 'McpBackendOptions',
    parents: [['bridge/joined-options.ts', 'JoinedOptions']],
    heading: 'mcpBackend()',
  },
  {
    table: HTTP_TABLE,
    file: 'bridge/http/http-options.ts',
    type: 'McpHttpBackendOptions',
    parents: [['bridge/http/remote-server-options.ts', 'RemoteServerOptions'], BACKEND, CALLS],
    heading: 'mcpHttpBackend()',
  },
  {
    path: 'callerToken',
    table: CALLER_TOKEN_TABLE,
    file: 'bridge/http/caller-token-options.ts',
    type: 'CallerTokenOptions',
    heading: 'mcpHttpBackend()',
  },
  {
    path: 'retry',
    table: RETRY_TABLE,
    file: 'bridge/http/retry-options.ts',
    type: 'RetryOptions',
    heading: 'mcpHttpBackend()',
  },
  {
    table: SCOPES_TABLE,
    file: 'authorization/scopes-options.ts',
    type: 'McpScopesOptions',
    parents: [CALLS],
    heading: 'mcpScopes()',
  },
  { table: LIMIT_TABLE, file: 'limits/limits-options.ts', type: 'Limit', heading: 'mcpLimits()' },
  {
    table: LIMITS_TABLE,
    file: 'limits/limits-options.ts',
    type: 'McpLimitsOptions',
    heading: 'The options of mcpLimits()',
  },
  {
    table: REDIS_STORE_TABLE,
    file: 'store/redis-store.ts',
    type: 'RedisStoreOptions',
    heading: 'createRedisStore()',
  },
  {
    table: AUTHORIZATION_TABLE,
    file: 'authorization/authorization-options.ts',
    type: 'McpAuthorizationOptions',
    parents: [CALLS],
    heading: 'mcpAuthorization()',
  },
  { table: CALLS_TABLE, file: IN_APP, type: 'McpCallsOptions', parents: [CALLS], heading: 'mcpCalls()' },
  { table: CORS_TABLE, file: 'cors/cors-options.ts', type: 'McpCorsOptions', heading: 'mcpCors()' },
  { table: ADMIN_TABLE, file: 'admin/admin-options.ts', type: 'McpAdminOptions', heading: 'mcpAdmin()' },
  { table: TELEMETRY_TABLE, file: TELEMETRY, type: 'TelemetryOptions', heading: 'startTelemetry()' },
];

/** Rows of no table: `issuers` replaces the options of a single issuer. */
const OTHERS: Readonly<Record<string, readonly string[]>> = { [AUTH_HEADING]: ['issuers'] };

const nameIn = ({ path }: Documented, option: string) => (path === undefined ? option : `${path}.${option}`);

describe.each(documented)('$type', (entry) => {
  const { table, file, type, parents = [], heading } = entry;
  const inherited = parents.flatMap(([where, parent]) => [...optionsOfInterface(where, parent)]);
  const members = new Map([...inherited, ...optionsOfInterface(file, type)]);
  const rows = optionsOfPage(heading);

  test('has the options of its table', () => {
    expect([...members.keys()].toSorted()).toEqual(Object.keys(table).toSorted());
  });

  test.each(Object.entries(table))('%s has one default, in the code, TSDoc and docs/options.md', (option, row) => {
    const inTsdoc = members.get(option);
    if (row.default !== undefined) expect(inTsdoc).toBe(written(row.default));
    expect(rows.get(nameIn(entry, option))).toEqual({ default: inTsdoc, type: expect.stringMatching(/\w/) });
  });
});

test.each([...new Set(documented.map(({ heading }) => heading))])(
  'docs/options.md, %s: each row is an option',
  (heading) => {
    const entries = documented.filter((entry) => entry.heading === heading);
    const names = entries.flatMap((entry) => Object.keys(entry.table).map((option) => nameIn(entry, option)));
    expect([...optionsOfPage(heading).keys()].toSorted()).toEqual([...names, ...(OTHERS[heading] ?? [])].toSorted());
  },
);

test('docs/testing.md has the options of a token, with the defaults of TSDoc', () => {
  const rows = optionsOfPage('Testing your app', 'docs/testing.md');
  const documentedDefaults = new Map([...rows].map(([name, row]) => [name, row.default]));
  expect(documentedDefaults).toEqual(optionsOfInterface('testing/test-issuer.ts', 'TestTokenOptions'));
});
