/** The parts of one client's requests that not every authorization server accepts; seen on the wire in November 2026. */
export interface KnownClient {
  readonly name: string;
  /** Members of its registration (RFC 7591), in addition to those that every client sends. */
  readonly registers: readonly ('scope' | 'client_uri')[];
  /** Its authentication method at the token endpoint; `client_secret_basic` if it registers none (RFC 7591, section 2). */
  readonly method: 'none' | 'client_secret_basic';
  /** The `prompt` of its authorization request if the server announces `offline_access`. */
  readonly prompts: readonly ('consent' | 'select_account')[];
  /** True if it asks for `offline_access` when the server announces it. */
  readonly asksOffline: boolean;
  /** The `scope` of its refresh: `some` is the scope of the login. Undefined if no refresh was seen. */
  readonly refreshScope: 'none' | 'some' | undefined;
}

type Row = readonly [
  name: string,
  registers: string,
  prompts: string,
  asksOffline: boolean,
  refreshScope: KnownClient['refreshScope'],
  method?: KnownClient['method'],
];

const ROWS: readonly Row[] = [
  ['MCP Python SDK 2.3', 'scope', 'consent', true, 'none', 'client_secret_basic'],
  ['MCP TypeScript SDK 1.32', 'scope', '', false, 'none'],
  ['MCP TypeScript SDK 2.4', 'scope', 'consent', true, 'none'],
  ['MCP Go SDK 1.8', '', '', true, 'none'],
  ['FastMCP 4.2', 'scope', 'consent', true, 'none'],
  ['Claude Code 2.1', 'scope', 'consent', true, 'none'],
  ['Codex 0.171', 'scope', '', true, 'some'],
  ['opencode 1.18', 'scope client_uri', 'consent', true, 'none'],
  ['mcp-remote 0.15', 'scope client_uri', 'consent', true, 'some'],
  ['MCP Inspector 2.12', 'scope client_uri', 'consent', true, 'none'],
  ['Gemini CLI 0.61', 'scope', '', true, 'some'],
  ['Qwen Code 0.24', 'scope', '', false, undefined],
  ['GitHub Copilot CLI 1.0', '', 'consent select_account', true, undefined],
  ['@ai-sdk/mcp 2.0', 'scope', '', false, 'none'],
];

const words = <T extends string>(text: string) => text.split(' ').filter((word) => word !== '') as T[];

/** The clients whose requests were seen. Each may send something else in its next version. */
export const KNOWN_CLIENTS: readonly KnownClient[] = Object.freeze(
  ROWS.map(([name, registers, prompts, asksOffline, refreshScope, method = 'none']) => ({
    name,
    registers: words<KnownClient['registers'][number]>(registers),
    method,
    prompts: words<KnownClient['prompts'][number]>(prompts),
    asksOffline,
    refreshScope,
  })),
);
