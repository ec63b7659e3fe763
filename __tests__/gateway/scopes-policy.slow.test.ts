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

const SCOPES = {
  'tools/call': { '*': ['mcp:call'], 'delete_*': ['files:write'] },
  implies: { 'files:admin': ['files:write', 'mcp:call'] },
  hide: true,
};

/** Starts the notes server behind a gateway whose only route has these policies. */
async function start(mcpScopes: object): Promise<URL> {
  const stdio = { cmd: process.execPath, args: [`${ROOT}__tests__/fixtures/notes-server.mjs`, '--stdio'] };
  const policies = { mcpAuthentication: AUTHENTICATION, mcpScopes };
  const text = configText({ bind: { port: 0 }, route: { policies, backends: [{ mcp: { targets: [{ stdio }] } }] } });
  const gateway = createGateway(parseConfigFile(text, folder.path), SILENT);
  onTestFinished(() => gateway.close());
  const [address] = await gateway.listen('127.0.0.1');
  return new URL(`http://${address}/mcp`);
}

async function connect(url: URL, scopes: string[]): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${folder.token({ scopes })}` };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }) as never);
  onTestFinished(() => client.close());
  return client;
}

const toolsOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name);

describe('policies.mcpScopes', () => {
  test('decides which tools each caller may call and see', async () => {
    const url = await start(SCOPES);
    const [caller, admin] = [await connect(url, ['mcp:call']), await connect(url, ['files:admin'])];
    expect(await toolsOf(caller)).toEqual(['echo']);
    expect(await toolsOf(admin)).toEqual(['echo', 'delete_file']);
    expect((await admin.callTool({ name: 'delete_file' })).content).toMatchObject([{ type: 'text' }]);
    await expect(caller.callTool({ name: 'delete_file' })).rejects.toMatchObject({ code: 403 });
  });

  const inFile = (policies: object) => () =>
    createGateway(parseConfigFile(configText({ route: { policies } }), folder.path), SILENT);

  test.each<[string, object, string]>([
    [
      'rules without mcpAuthentication',
      { mcpScopes: SCOPES },
      `${route}.policies.mcpScopes needs mcpAuthentication beside it: the scopes come from the token`,
    ],
    [
      'a slip in a method',
      { mcpAuthentication: AUTHENTICATION, mcpScopes: { 'tool/call': ['a'] } },
      `${route}.policies.mcpScopes["tool/call"] is neither a method, such as "tools/call", nor an option. Did you mean "tools/call"?`,
    ],
    ...Object.entries({
      allowedTools:
        'To allow some tools and no others, write "*": false under "tools/call", and true for each of them.',
      deny: 'To deny a tool to every caller, write false under "tools/call" and its name.',
      tools: 'Rules for tools belong under "tools/call", by name.',
      requiredScopes: 'Put scopes that every request needs into requiredScopes of mcpAuthentication,',
      hid: 'Did you mean "hide"?',
      logger: 'Write a method, such as "tools/call".',
    }).map(([name, fix]): [string, object, string] => [
      `${name}, which is neither a method nor an option`,
      { mcpAuthentication: AUTHENTICATION, mcpScopes: { ...SCOPES, [name]: ['a'] } },
      `${route}.policies.mcpScopes.${name} is neither a method, such as "tools/call", nor an option. ${fix}`,
    ]),
    [
      'a regular expression',
      { mcpAuthentication: AUTHENTICATION, mcpScopes: { 'tools/call': { '/delete_.*/': ['a'] } } },
      `must be keyed by a name, not by a regular expression, but got "/delete_.*/". Only "*" is special`,
    ],
    [
      'requiredScopes among the metadata',
      {
        mcpAuthentication: {
          ...AUTHENTICATION,
          resourceMetadata: { ...AUTHENTICATION.resourceMetadata, requiredScopes: ['a'] },
        },
      },
      'Write "requiredScopes" next to "resourceMetadata", not inside it.',
    ],
    [
      'options alone',
      { mcpAuthentication: AUTHENTICATION, mcpScopes: { hide: true } },
      `${route}.policies.mcpScopes: mcpScopes(): option "rules" must be at least one rule`,
    ],
    [
      'no rules at all',
      { mcpAuthentication: AUTHENTICATION, mcpScopes: null },
      `${route}.policies.mcpScopes must be a mapping, but is empty`,
    ],
  ])('refuses %s', (_what, policies, message) => {
    expect(inFile(policies)).toThrow(message);
  });
});
