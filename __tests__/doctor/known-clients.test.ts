import { expect, test } from 'vitest';
import { checkKnownClients } from '../../src/doctor/client-problems.js';
import { KNOWN_CLIENTS } from '../../src/doctor/known-clients.js';
import { goodMetadata, startFaultyServer } from '../support/faulty-server.js';

const ISSUER = 'https://issuer.example';
const KEYCLOAK = 'https://sso.example/realms/mcp';
const ENTRA = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0';

const CONSENT =
  'MCP Python SDK 2.3, MCP TypeScript SDK 2.4, FastMCP 4.2, Claude Code 2.1, opencode 1.18, mcp-remote 0.15, MCP Inspector 2.12, GitHub Copilot CLI 1.0.';
const OFFLINE =
  'MCP Python SDK 2.3, MCP TypeScript SDK 2.4, MCP Go SDK 1.8, FastMCP 4.2, Claude Code 2.1, Codex 0.171, opencode 1.18, mcp-remote 0.15, MCP Inspector 2.12, Gemini CLI 0.61, GitHub Copilot CLI 1.0.';
const PUBLIC =
  'MCP TypeScript SDK 1.32, MCP TypeScript SDK 2.4, MCP Go SDK 1.8, FastMCP 4.2, Claude Code 2.1, Codex 0.171, opencode 1.18, mcp-remote 0.15, MCP Inspector 2.12, Gemini CLI 0.61, Qwen Code 0.24, GitHub Copilot CLI 1.0, @ai-sdk/mcp 2.0.';
const SCOPE =
  'MCP Python SDK 2.3, MCP TypeScript SDK 1.32, MCP TypeScript SDK 2.4, FastMCP 4.2, Claude Code 2.1, Codex 0.171, opencode 1.18, mcp-remote 0.15, MCP Inspector 2.12, Gemini CLI 0.61, Qwen Code 0.24, @ai-sdk/mcp 2.0.';
const NO_SCOPE =
  'MCP Python SDK 2.3, MCP TypeScript SDK 1.32, MCP TypeScript SDK 2.4, MCP Go SDK 1.8, FastMCP 4.2, Claude Code 2.1, opencode 1.18, MCP Inspector 2.12, @ai-sdk/mcp 2.0.';

test.each<[what: string, issuer: string, metadata: object, ...expected: [seen: string, who: string][]]>([
  ['a server that says nothing against them', ISSUER, {}],
  ['one that lists their prompts', ISSUER, { prompt_values_supported: ['none', 'consent', 'select_account'] }],
  [
    'one without select_account',
    ISSUER,
    { prompt_values_supported: ['consent'] },
    [
      'prompt_values_supported does not list "select_account"',
      'They log in with prompt=select_account, which may be refused: GitHub Copilot CLI 1.0.',
    ],
  ],
  [
    'one without consent',
    ISSUER,
    { prompt_values_supported: ['login', 'select_account'] },
    [
      'prompt_values_supported does not list "consent"',
      `They log in with prompt=consent, which may be refused: ${CONSENT}`,
    ],
  ],
  ['one without prompts or offline_access', ISSUER, { prompt_values_supported: [], scopes_supported: ['a'] }],
  [
    'offline_access without refresh tokens',
    ISSUER,
    { grant_types_supported: ['authorization_code'] },
    [
      'offline_access is announced, but refresh_token is not among the grant types',
      `They ask for offline_access, which cannot be granted: ${OFFLINE}`,
    ],
  ],
  ['grant types that are not stated', ISSUER, { grant_types_supported: undefined }],
  [
    'no public clients',
    ISSUER,
    { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
    [
      'token_endpoint_auth_methods_supported does not list "none"',
      `They register as public clients ("none"), which may be refused: ${PUBLIC}`,
    ],
  ],
  [
    'no public clients, and no registration',
    ISSUER,
    { token_endpoint_auth_methods_supported: [], registration_endpoint: undefined },
  ],
  [
    'Keycloak',
    KEYCLOAK,
    { jwks_uri: `${KEYCLOAK}/protocol/openid-connect/certs` },
    [
      'Keycloak refuses anonymous registrations with a scope unless its policies are changed',
      `Their registration contains a scope: ${SCOPE}`,
    ],
    [
      'Keycloak refuses a client_uri on hosts that its policies do not trust',
      'Their registration contains a client_uri: opencode 1.18, mcp-remote 0.15, MCP Inspector 2.12.',
    ],
  ],
  ['the OAuth proxy before Keycloak', ISSUER, { jwks_uri: `${KEYCLOAK}/protocol/openid-connect/certs` }],
  [
    'Entra ID',
    ENTRA,
    { jwks_uri: ENTRA.replace('v2.0', 'discovery/v2.0/keys') },
    [
      'Entra ID refuses a refresh without a scope, or grants other scopes',
      `They refresh without a scope, so users must log in again every hour: ${NO_SCOPE}`,
    ],
  ],
  ['an issuer that is not a URL', 'x', {}],
])('names the clients that fail at %s', (_what, issuer, metadata, ...expected) => {
  const findings = checkKnownClients(issuer, { ...goodMetadata(issuer), ...metadata });
  const bad = findings.filter(({ status }) => status !== 'ok').map(({ seen, affects }) => [seen, affects]);
  expect(bad).toEqual(expected);
  expect(findings.filter(({ status }) => status === 'ok')).toHaveLength(expected.length === 0 ? 1 : 0);
});

test('the doctor reports it, and registers nothing', async () => {
  const paths: (string | undefined)[] = [];
  const { walk } = await startFaultyServer({
    authorizationServer: (req, res) => {
      paths.push(req.url);
      const origin = `http://${req.headers.host}`;
      if (req.url === '/.well-known/oauth-authorization-server')
        res.end(JSON.stringify({ ...goodMetadata(origin), prompt_values_supported: ['consent'] }));
      else res.writeHead(404).end();
    },
  });
  const findings = await walk();
  expect(findings.filter(({ step }) => step === 'known clients')).toMatchObject([
    { status: 'warning', seen: 'prompt_values_supported does not list "select_account"' },
  ]);
  expect(paths).not.toContain('/register');
});

test('fourteen clients are known', () => {
  expect(new Set(KNOWN_CLIENTS.map(({ name }) => name)).size).toBe(14);
});
