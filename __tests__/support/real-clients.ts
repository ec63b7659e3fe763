/** The recorded requests of one MCP client: its registration, its login, and its refreshes. */
export interface RealClient {
  /** The registration, without redirect URIs and scopes. */
  readonly registration: Readonly<Record<string, unknown>>;
  readonly redirectUri: string;
  /** The scopes in the registration. Left out if it names none. */
  readonly registersFor?: ScopeChoice;
  readonly asksFor: ScopeChoice;
  readonly prompt?: string | undefined;
  /** Left out if no refresh was recorded. */
  readonly refresh?: { readonly scope?: ScopeChoice; readonly withResource: boolean };
}

/** The scopes that the resource and its authorization server announce. */
export interface Announced {
  readonly resource: readonly string[];
  readonly server: readonly string[];
}

type ScopeChoice = (announced: Announced) => readonly string[];

const ofResource: ScopeChoice = ({ resource }) => resource;
const withOfflineAccess: ScopeChoice = ({ resource, server }) =>
  server.includes('offline_access') && !resource.includes('offline_access')
    ? [...resource, 'offline_access']
    : resource;
const everything: ScopeChoice = ({ resource, server }) => [...new Set([...server, ...resource])];
const ofServer: ScopeChoice = ({ server }) => server;

const CODE_FLOW = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
const PUBLIC = { ...CODE_FLOW, token_endpoint_auth_method: 'none' };
const NATIVE = { ...PUBLIC, application_type: 'native' };
const PLAIN_REFRESH = { withResource: true } as const;

/** Registers for offline_access and requests it if the server announces it, with prompt=consent. */
const WITH_OFFLINE_ACCESS = {
  redirectUri: 'http://127.0.0.1:33418/callback',
  registersFor: withOfflineAccess,
  asksFor: withOfflineAccess,
  prompt: 'consent',
  refresh: PLAIN_REFRESH,
} as const;
/** Requests only the scopes of the resource. */
const RESOURCE_SCOPES_ONLY = {
  ...WITH_OFFLINE_ACCESS,
  registersFor: ofResource,
  asksFor: ofResource,
  prompt: undefined,
} as const;

/** Clients of November 2026, as recorded on the wire. */
export const REAL_CLIENTS: Readonly<Record<string, RealClient>> = {
  'MCP Python SDK': {
    ...WITH_OFFLINE_ACCESS,
    registration: { ...CODE_FLOW, application_type: 'native', client_name: 'A script' },
  },
  'MCP TypeScript SDK v1': { ...RESOURCE_SCOPES_ONLY, registration: { ...PUBLIC, client_name: 'An app' } },
  'MCP TypeScript SDK v2': { ...WITH_OFFLINE_ACCESS, registration: { ...NATIVE, client_name: 'An app' } },
  'MCP Go SDK': {
    redirectUri: WITH_OFFLINE_ACCESS.redirectUri,
    registration: {
      application_type: 'native',
      client_name: 'A tool',
      grant_types: CODE_FLOW.grant_types,
      token_endpoint_auth_method: 'none',
    },
    asksFor: withOfflineAccess,
    refresh: { withResource: false },
  },
  FastMCP: {
    ...WITH_OFFLINE_ACCESS,
    redirectUri: 'http://localhost:33418/callback',
    registration: { ...NATIVE, client_name: 'FastMCP Client' },
  },
  'Claude Code': {
    ...WITH_OFFLINE_ACCESS,
    redirectUri: 'http://localhost:33418/callback',
    registration: { ...NATIVE, client_name: 'Claude Code (tools)' },
  },
  Codex: {
    ...WITH_OFFLINE_ACCESS,
    registration: { ...NATIVE, client_name: 'Codex' },
    prompt: undefined,
    refresh: { scope: withOfflineAccess, withResource: true },
  },
  opencode: {
    ...WITH_OFFLINE_ACCESS,
    redirectUri: 'http://127.0.0.1:33418/mcp/oauth/callback',
    registration: { ...PUBLIC, client_name: 'OpenCode', client_uri: 'https://opencode.ai' },
  },
  'mcp-remote': {
    ...WITH_OFFLINE_ACCESS,
    redirectUri: 'http://localhost:33418/oauth/callback',
    registration: {
      ...NATIVE,
      client_name: 'MCP CLI Proxy',
      client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
      software_id: '2f6b1c0e-6d3a-4c1f-9d0a-5b7e8f9a0b1c',
      software_version: '0.15.1',
    },
    refresh: { scope: ofResource, withResource: true },
  },
  'MCP Inspector': {
    ...WITH_OFFLINE_ACCESS,
    redirectUri: 'http://127.0.0.1:33418/oauth/callback',
    registration: {
      ...NATIVE,
      client_name: 'MCP Inspector',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
    },
  },
  'Gemini CLI': {
    redirectUri: 'http://localhost:33418/oauth/callback',
    registration: { ...PUBLIC, client_name: 'Gemini CLI MCP Client' },
    registersFor: everything,
    asksFor: everything,
    refresh: { scope: ofServer, withResource: true },
  },
  'Qwen Code': {
    redirectUri: 'http://localhost:33418/oauth/callback',
    registration: { ...PUBLIC, client_name: 'Qwen Code MCP Client', code_challenge_method: ['S256'] },
    registersFor: ofResource,
    asksFor: ofResource,
  },
  'GitHub Copilot CLI': {
    redirectUri: 'http://127.0.0.1:33418/',
    registration: { ...PUBLIC, client_name: 'GitHub Copilot CLI' },
    asksFor: withOfflineAccess,
    prompt: 'consent select_account',
  },
  '@ai-sdk/mcp': { ...RESOURCE_SCOPES_ONLY, registration: { ...NATIVE, client_name: 'An app' } },
};
