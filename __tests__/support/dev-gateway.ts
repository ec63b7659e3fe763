import { configText } from './config-text.js';
import { AUTHENTICATION, type GatewayFolder } from './gateway-folder.js';
import { freePort } from './loopback-server.js';
import { CLI, startNode } from './program.js';

const CORS = {
  allowOrigins: ['*'],
  allowHeaders: ['*'],
  allowMethods: ['GET', 'POST', 'DELETE'],
  exposeHeaders: ['Mcp-Session-Id', 'MCP-Protocol-Version', 'WWW-Authenticate'],
};

interface DevGatewayOptions {
  readonly port?: number;
  readonly devIssuerPort?: number;
  readonly args?: readonly string[];
}

/** Starts the gateway with `--dev-issuer` in front of server-everything, as a program. */
export async function startDevGateway(
  folder: GatewayFolder,
  changes: Record<string, unknown> = {},
  options: DevGatewayOptions = {},
) {
  const { port = await freePort(), devIssuerPort = 0, args: further = [] } = options;
  const resource = `http://127.0.0.1:${port}/mcp`;
  const resourceMetadata = { resource, scopesSupported: ['read:all'] };
  const mcpAuthentication = { ...AUTHENTICATION, resourceMetadata, requiredScopes: ['read:all'], ...changes };
  const file = await folder.write(
    'gateway.yaml',
    configText({ bind: { port }, route: { policies: { cors: CORS, mcpAuthentication } } }),
  );
  const args = ['-f', file, '--host', '127.0.0.1', '--dev-issuer', '--dev-issuer-port', `${devIssuerPort}`, ...further];
  const program = startNode([CLI, ...args]);
  await program.says(/Listening on/);
  const [, issuer = ''] =
    /(http:\S+) lets anyone log in with one click: FOR DEVELOPMENT ONLY/.exec(program.stderr) ?? [];
  return { program, resource, issuer };
}
