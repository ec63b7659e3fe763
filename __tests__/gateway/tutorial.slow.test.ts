import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { CLI, endPrograms, startNode } from '../support/program.js';

// The file of agentgateway's tutorial "MCP Authentication", with another port.
const CONFIG = `binds:
- port: 0
  listeners:
  - routes:
    - backends:
      - mcp:
          targets:
          - name: everything
            stdio:
              cmd: npx
              args: ["@modelcontextprotocol/server-everything"]
      matches:
      - path:
          exact: /mcp
      - path:
          exact: /.well-known/oauth-protected-resource/mcp
      policies:
        cors:
          allowOrigins: ["*"]
          allowHeaders: ["*"]
          exposeHeaders: ["Mcp-Session-Id"]
        mcpAuthentication:
          mode: strict
          issuer: agentgateway.dev
          audiences: [test.agentgateway.dev]
          jwks:
            file: ./pub-key
          resourceMetadata:
            resource: http://localhost:3000/mcp
            scopesSupported:
            - read:all
            bearerMethodsSupported:
            - header
`;

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  method: 'initialize',
  params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'test', version: '1.0' } },
  id: 1,
});
const HEADERS = ['Content-Type: application/json', 'Accept: application/json, text/event-stream'];

describe("agentgateway's tutorial", () => {
  let folder: GatewayFolder;
  let port: number;
  beforeAll(async () => {
    folder = await makeGatewayFolder();
    await folder.write('config.yaml', CONFIG);
  });
  afterAll(async () => {
    await endPrograms();
    await folder.remove();
  });

  test('step 4: prints the address on which it listens', async () => {
    // In the folder of this repository npx finds the server without a download.
    const gateway = startNode([CLI, '-f', `${folder.path}/config.yaml`]);
    const [, found] = await gateway.says(/^INFO express-mcp-auth: Listening on 0\.0\.0\.0:(\d+)\n/);
    port = Number(found);
  });

  test('step 5: asks for a token, byte for byte', async () => {
    const { head, body } = await talk(port, 'POST /mcp', HEADERS, INITIALIZE);
    expect(head[0]).toBe('HTTP/1.1 401 Unauthorized');
    expect(head).toContain(
      'www-authenticate: Bearer resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource/mcp"',
    );
    expect(head).toContain('content-type: application/json');
    expect(body).toBe('{"error":"unauthorized","error_description":"JWT token required"}');
  });

  test('step 6: serves the metadata, member for member', async () => {
    const { head, body } = await talk(port, 'GET /.well-known/oauth-protected-resource/mcp');
    expect(head[0]).toBe('HTTP/1.1 200 OK');
    expect(head).toContain('content-type: application/json');
    expect(body).toBe(
      JSON.stringify({
        resource: 'http://localhost:3000/mcp',
        authorization_servers: ['agentgateway.dev'],
        mcp_protocol_version: '2025-06-18',
        resource_type: 'mcp-server',
        bearer_methods_supported: ['header'],
        scopes_supported: ['read:all'],
      }),
    );
  });

  test('step 7: opens a session with a valid token', async () => {
    const token = folder.token({ claims: { iss: 'agentgateway.dev', aud: 'test.agentgateway.dev' } });
    const { head, body } = await talk(port, 'POST /mcp', [...HEADERS, `Authorization: Bearer ${token}`], INITIALIZE);
    expect(head[0]).toBe('HTTP/1.1 200 OK');
    expect(head.join('\n')).toMatch(/^mcp-session-id: \S+$/m);
    expect(body).toContain('"protocolVersion":"2024-11-05"');
    expect(body).toContain('"serverInfo":{"name":"mcp-servers/everything"');
  });
});

/** Sends one request over a bare socket: fetch() hides the status line and the case of header names. */
async function talk(port: number, request: string, headers: readonly string[] = [], body = '') {
  const socket = connect({ port, host: '127.0.0.1' }).setEncoding('utf8');
  const lines = [`${request} HTTP/1.1`, 'Host: localhost:3000', 'Connection: close', ...headers];
  socket.write(`${lines.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  let answer = '';
  for await (const text of socket) answer += text;
  const end = answer.indexOf('\r\n\r\n');
  return { head: answer.slice(0, end).split('\r\n'), body: answer.slice(end + 4) };
}
