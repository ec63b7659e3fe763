/** The path of the only route of {@link configText}. */
export const route = 'binds[0].listeners[0].routes[0]';

interface Parts {
  readonly root?: object;
  readonly bind?: object;
  readonly listener?: object;
  readonly route?: object;
}

/** A configuration file with one route, as JSON, which is also YAML. Adds or replaces the given members. */
export function configText(parts: Parts = {}): string {
  const stdio = { cmd: 'npx', args: ['@modelcontextprotocol/server-everything'] };
  const onlyRoute = {
    backends: [{ mcp: { targets: [{ name: 'everything', stdio }] } }],
    matches: [{ path: { exact: '/mcp' } }],
    ...parts.route,
  };
  const listener = { routes: [onlyRoute], ...parts.listener };
  return JSON.stringify({ binds: [{ port: 3000, listeners: [listener], ...parts.bind }], ...parts.root });
}
