import type { ConfigNode, UnsupportedFeature } from './config-node.js';

/** Leaving it out opens nothing that the file protects. */
export const harmless = (why: string): UnsupportedFeature => ({ why, canIgnore: true });

/** Leaving it out would let more callers or calls pass than the file says. */
export const protective = (why: string): UnsupportedFeature => ({ why, canIgnore: false });

const PLAIN_TCP = harmless('only HTTP is served here. Use agentgateway or another proxy for other traffic');
const KUBERNETES = harmless('it describes a Kubernetes cluster. Name the servers themselves, with mcp targets');
const BESIDE = 'Run agentgateway beside this command for it';

/** The sections of agentgateway's file that are not supported. */
export const UNSUPPORTED_SECTIONS: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ['llm', harmless(`language models are not MCP servers. ${BESIDE}`)],
  ['ui', harmless('the admin page needs no settings. See docs/command.md')],
  ['tcpRoutes', PLAIN_TCP],
  ['workloads', KUBERNETES],
  ['services', KUBERNETES],
  ['routeGroups', harmless('routes are not nested here. Write them under routes')],
]);

/** The members of a bind, gateway or listener that are not supported. */
export const UNSUPPORTED_LISTENER_KEYS: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ['tcpRoutes', PLAIN_TCP],
  ['tunnelProtocol', protective('connections are not tunnelled here. Use a proxy in front that ends the tunnel')],
  ['mode', protective('every bind is a port of this machine')],
]);

/** The policies that are not supported, on any level. */
export const UNSUPPORTED_POLICIES: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ['oidc', protective('browser sessions do not log MCP clients in. Use mcpAuthentication')],
  ['basicAuth', protective('passwords are not checked here. Use mcpAuthentication, or a proxy in front')],
  ['csrf', protective('the backend checks Host and Origin itself, and tokens are never in cookies. Remove it')],
  ['extAuthz', protective('no other server is asked. Use mcpAuthentication, and rules in mcpAuthorization')],
  [
    'extProc',
    protective(
      'messages are not sent to another server. Write an Express app with mcpAuth() and middleware of your own',
    ),
  ],
  [
    'mcpGuardrails',
    protective('messages are not sent to another server. Use mcpAuthorization, whose rules see the arguments'),
  ],
  ['remoteRateLimit', protective('no rate limit server is asked. Use localRateLimit')],
  [
    'transformations',
    protective('messages are not rewritten. Use requestHeaderModifier and responseHeaderModifier for fixed headers'),
  ],
  ['buffer', harmless('bodies are read and streamed as MCP needs it. maxBodyBytes is their limit')],
  ['delay', harmless('no latency is added. Use a proxy for fault injection')],
  ['requestMirror', harmless('requests are not copied to another server')],
  ['a2a', harmless(`only MCP is served here. ${BESIDE}`)],
  ['ai', harmless(`only MCP is served here. ${BESIDE}`)],
  ['backendTunnel', protective('the environment variable HTTPS_PROXY names a forward proxy')],
  ['inferenceRouting', harmless('only MCP is served here')],
  ['sessionAffinity', harmless('a session stays with its target anyway')],
  ['health', harmless('targets are not probed. failureMode: failOpen goes on without a target')],
  [
    'http',
    harmless('HTTP to targets is not adjusted. Write connectTimeoutSeconds and responseTimeoutSeconds beside host'),
  ],
  ['tcp', harmless('TCP to targets is not adjusted. Write connectTimeoutSeconds beside host')],
]);

/** The kinds of targets that are not supported. */
export const UNSUPPORTED_TARGETS: ReadonlyMap<string, UnsupportedFeature> = new Map([
  [
    'openapi',
    harmless('HTTP APIs are not turned into tools. Run an MCP server that does it, as a stdio or mcp target'),
  ],
  ['sse', harmless('the HTTP+SSE transport of 2024 is not spoken. Use mcp, if the server speaks Streamable HTTP')],
]);

const NOT_MCP = harmless(`only MCP servers are served here: mcp. ${BESIDE}, or another proxy`);

/** The kinds of backends that are not supported. */
export const UNSUPPORTED_BACKENDS: ReadonlyMap<string, UnsupportedFeature> = new Map(
  ['host', 'ai', 'aws', 'dynamic', 'internal', 'service', 'routeGroup'].map((name) => [name, NOT_MCP]),
);

/** True for a mapping with one of these keys. If its keys have been read, `--ignore` leaves that out. */
export function hasUnsupportedKey(node: ConfigNode, unsupported: ReadonlyMap<string, UnsupportedFeature>): boolean {
  return [...unsupported.keys()].some((key) => key in node.mapping());
}

/**
 * Returns what may be left out of these mappings. Without one of the other keys, nothing would be left to serve, so that `--ignore` would
 * lead to the next refusal.
 */
export function ignorableBeside(
  others: readonly string[],
  nodes: readonly ConfigNode[],
  unsupported: ReadonlyMap<string, UnsupportedFeature>,
): ReadonlyMap<string, UnsupportedFeature> {
  if (nodes.some((node) => others.some((key) => key in node.mapping()))) return unsupported;
  return new Map([...unsupported].map(([name, { why }]) => [name, protective(why)]));
}
