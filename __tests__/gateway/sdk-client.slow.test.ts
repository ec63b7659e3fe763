import { execFileSync } from 'node:child_process';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import {
  StreamableHTTPClientTransport,
  type StreamableHTTPClientTransportOptions,
} from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { configText } from '../support/config-text.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { CLI, endPrograms, isRunning, type Program, ROOT, startNode } from '../support/program.js';

function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child = 0, parent]) => (parent === pid ? [child] : []));
}

describe("the MCP SDK's client", () => {
  let folder: GatewayFolder;
  let gateway: Program;
  const issuer = createTestIssuer();
  let url: URL;

  beforeAll(async () => {
    folder = await makeGatewayFolder();
    const policies = { mcpAuthentication: { issuer: await issuer.listen(), audiences: ['mcp.example'] } };
    // Starts the server's file directly: npx only takes longer to find it.
    const args = [`${ROOT}node_modules/@modelcontextprotocol/server-everything/dist/index.js`];
    const backends = [{ mcp: { targets: [{ stdio: { cmd: process.execPath, args } }] } }];
    const file = await folder.write('config.yaml', configText({ bind: { port: 0 }, route: { policies, backends } }));
    gateway = startNode([CLI, '-f', file, '--host', '127.0.0.1']);
    const [, address] = await gateway.says(/Listening on (\S+)/);
    url = new URL(`http://${address}/mcp`);
  });
  afterAll(async () => {
    await issuer.close();
    await endPrograms();
    await folder.remove();
  });

  async function connect(options: StreamableHTTPClientTransportOptions) {
    const client = new Client({ name: 'test', version: '1.0' });
    const transport = new StreamableHTTPClientTransport(url, options);
    await client.connect(transport as Parameters<Client['connect']>[0]);
    return { client, transport };
  }

  test('lists and calls tools of server-everything with a token', async () => {
    const token = issuer.tokenFor('mcp.example');
    const { client, transport } = await connect({ requestInit: { headers: { authorization: `Bearer ${token}` } } });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('echo');
    const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    await transport.terminateSession();
    await client.close();
  });

  test('without a token, is sent to the authorization server and gets its UnauthorizedError', async () => {
    let sentTo: URL | undefined;
    const authProvider = {
      redirectUrl: 'http://localhost:9999/callback',
      clientMetadata: { redirect_uris: ['http://localhost:9999/callback'] },
      clientInformation: () => ({ client_id: 'test' }),
      tokens: () => undefined,
      saveTokens: () => undefined,
      saveCodeVerifier: () => undefined,
      codeVerifier: () => '',
      redirectToAuthorization: (to: URL) => {
        sentTo = to;
      },
    };
    await expect(connect({ authProvider })).rejects.toBeInstanceOf(UnauthorizedError);
    expect(sentTo?.href).toMatch(`${issuer.issuer}/authorize?`);
    expect(sentTo?.searchParams.get('resource')).toBe(url.origin);
  });

  test('ends with the gateway: Ctrl-C in the middle of a call leaves no process and exit code 0', async () => {
    const token = issuer.tokenFor('mcp.example');
    const { client } = await connect({ requestInit: { headers: { authorization: `Bearer ${token}` } } });
    const call = client.callTool({
      name: 'trigger-long-running-operation',
      arguments: { duration: 60, steps: 60 },
    });
    const outcome = expect(call).rejects.toThrow();
    await client.ping();
    const children = childrenOf(gateway.pid);
    expect(children.length).toBeGreaterThan(0);
    expect(await gateway.stop('SIGINT')).toBe(0);
    expect(children.filter(isRunning)).toEqual([]);
    await client.close();
    await outcome;
  });
});
