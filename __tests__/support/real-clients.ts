/** What one MCP client sent when it was watched: its registration, its login, and its refreshes. */
export interface RealClient {
  /** All but redirect URIs and scopes. */
  readonly registration: Readonly<Record<string, unknown>>;
  readonly redirectUri: string;
  /** Left out where the registration names none. */
  readonly registersFor?: ScopeChoice;
  readonly asksFor: ScopeChoice;
  readonly prompt?: string | undefined;
  /** Left out where it was not seen to refresh. */
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

/** Registers for and asks for offline_access where the server announces it, and has the user asked. */
const CAREFUL = {
  redirectUri: 'http://127.0.0.1:33418/callback',
  registersFor: withOfflineAccess,
  asksFor: withOfflineAccess,
  prompt: 'consent',
  refresh: PLAIN_REFRESH,
} as const;
/** Knows the scopes of the resource only. */
const MODEST = { ...CAREFUL, registersFor: ofResource, asksFor: ofResource, prompt: undefined } as const;

/** Clients of November 2026, as they were seen on the wire. */
export const REAL_CLIENTS: Readonly<Record<string, RealClient>> = {
  'MCP Python SDK': { ...CAREFUL, registration: { ...CODE_FLOW, application_type: 'native', client_name: 'A script' } },
  'MCP TypeScript SDK v1': { ...MODEST, registration: { ...PUBLIC, client_name: 'An app' } },
  'MCP TypeScript SDK v2': { ...CAREFUL, registration: { ...NATIVE, client_name: 'An app' } },
  'MCP Go SDK': {
    redirectUri: CAREFUL.redirectUri,
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
    ...CAREFUL,
    redirectUri: 'http://localhost:33418/callback',
    registration: { ...NATIVE, client_name: 'FastMCP Client' },
  },
  'Claude Code': {
    ...CAREFUL,
    redirectUri: 'http://localhost:33418/callback',
    registration: { ...NATIVE, client_name: 'Claude Code (tools)' },
  },
  Codex: {
    ...CAREFUL,
    registration: { ...NATIVE, client_name: 'Codex' },
    prompt: undefined,
    refresh: { scope: withOfflineAccess, withResource: true },
  },
  opencode: {
    ...CAREFUL,
    redirectUri: 'http://127.0.0.1:33418/mcp/oauth/callback',
    registration: { ...PUBLIC, client_name: 'OpenCode', client_uri: 'https://opencode.ai' },
  },
  'mcp-remote': {
    ...CAREFUL,
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
    ...CAREFUL,
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
  '@ai-sdk/mcp': { ...MODEST, registration: { ...NATIVE, client_name: 'An app' } },
};
