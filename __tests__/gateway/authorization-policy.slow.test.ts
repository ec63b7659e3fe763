import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SILENT } from '../../src/core/logger.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { configText, route } from '../support/config-text.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { ROOT } from '../support/program.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

/** Starts the notes server behind a gateway whose only route has these policies, and its backend these. */
async function start(policies: object, ofBackend?: object): Promise<URL> {
  const stdio = { cmd: process.execPath, args: [`${ROOT}__tests__/fixtures/notes-server.mjs`, '--stdio'] };
  const backend = { mcp: { targets: [{ name: 'notes', stdio }] }, ...(ofBackend && { policies: ofBackend }) };
  const text = configText({ bind: { port: 0 }, route: { policies, backends: [backend] } });
  const gateway = createGateway(parseConfigFile(text, folder.path), SILENT);
  onTestFinished(() => gateway.close());
  const [address] = await gateway.listen('127.0.0.1');
  return new URL(`http://${address}/mcp`);
}

async function connect(url: URL, token?: string): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }) as never);
  onTestFinished(() => client.close());
  return client;
}

const toolsOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);

describe('policies.mcpAuthorization', () => {
  test('decides which tools each caller may call and see, with the name of the target', async () => {
    const rules = [
      'mcp.tool.name == "echo"',
      { allow: 'mcp.tool.target == "notes" && "admin" in jwt.scope.split(" ")' },
    ];
    const url = await start({ mcpAuthentication: AUTHENTICATION, mcpAuthorization: { rules } });
    const caller = await connect(url, folder.token({ scopes: ['user'] }));
    const admin = await connect(url, folder.token({ scopes: ['admin'] }));
    expect(await toolsOf(caller)).toEqual(['echo']);
    expect(await toolsOf(admin)).toEqual(['echo', 'delete_file']);
    expect((await admin.callTool({ name: 'delete_file' })).content).toMatchObject([{ type: 'text' }]);
    await expect(caller.callTool({ name: 'delete_file' })).rejects.toMatchObject({
      code: -32602,
      message: 'MCP error -32602: Unknown tool: delete_file',
    });
  });

  test('works without mcpAuthentication: every caller is anonymous', async () => {
    const client = await connect(
      await start({ mcpAuthorization: { rules: ['mcp.tool.name == "echo" || jwt.sub == "a"'] } }),
    );
    expect(await toolsOf(client)).toEqual(['echo']);
  });

  test('the rules of the route and of its backend count together', async () => {
    const ofRoute = { mcpAuthorization: { rules: ['mcp.tool.name == "echo"'] } };
    const ofBackend = { mcpAuthorization: { rules: ['true', { deny: 'mcp.tool.name == "echo"' }] } };
    expect(await toolsOf(await connect(await start(ofRoute, ofBackend)))).toEqual(['delete_file']);
  });
});

const at = `${route}.policies.mcpAuthorization`;
const inBackend = `${route}.backends[0].policies.mcpAuthorization`;

test.each<[what: string, policies: object, ofBackend: object | undefined, message: string]>([
  ['no rules', { mcpAuthorization: {} }, undefined, `${at}.rules is missing`],
  [
    'rules as text',
    { mcpAuthorization: { rules: 'true' } },
    undefined,
    `${at}: mcpAuthorization(): option "rules" must be a list`,
  ],
  [
    'an expression that is wrong',
    { mcpAuthorization: { rules: ['true', { deny: 'mcp.tool.nmae == "x"' }] } },
    undefined,
    `${at}: mcpAuthorization(): option "rules[1].deny" must be a CEL expression, but got "mcp.tool.nmae == \\"x\\"". Column 10: mcp.tool.nmae`,
  ],
  [
    'an expression that is wrong in the backend',
    { mcpAuthorization: { rules: ['true'] } },
    { mcpAuthorization: { rules: ['tru'] } },
    `${inBackend}: mcpAuthorization(): option "rules[0]" must be a CEL expression, but got "tru".`,
  ],
  [
    'an unknown option',
    { mcpAuthorization: { rules: ['true'], logger: {} } },
    undefined,
    `${at}.logger is not supported.`,
  ],
  [
    'an option in both places',
    { mcpAuthorization: { rules: ['true'], mode: 'permissive' } },
    { mcpAuthorization: { rules: ['true'], mode: 'strict' } },
    `${inBackend}.mode is also in ${at}.mode: write it once`,
  ],
  [
    'a challenge without a login',
    { mcpAuthorization: { rules: ['true'], onDenied: 'challenge' } },
    undefined,
    `${at}.onDenied: "challenge" needs mcpAuthentication: the answer names its login`,
  ],
])('refuses %s', (_what, policies, ofBackend, message) => {
  const stdio = { cmd: 'npx', args: [] };
  const backend = { mcp: { targets: [{ stdio }] }, ...(ofBackend && { policies: ofBackend }) };
  const text = configText({ route: { policies, backends: [backend] } });
  expect(() => createGateway(parseConfigFile(text, folder.path), SILENT)).toThrow(message);
});

test('refuses a rule about a target without a name', () => {
  const policies = { mcpAuthorization: { rules: ['mcp.tool.target == "notes"'] } };
  const text = configText({ route: { policies, backends: [{ mcp: { targets: [{ stdio: { cmd: 'npx' } }] } }] } });
  expect(() => createGateway(parseConfigFile(text, folder.path), SILENT)).toThrow(
    'must be an expression without mcp.tool.target',
  );
});
