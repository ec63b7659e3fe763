import { expect, test } from 'vitest';
import { mcpScopes } from '../../src/index.js';
import { createRuledApp, type RuledApp } from '../support/ruled-app.js';

test.each<[what: string, uri: string, isAllowed: boolean]>([
  ...['FILE:///secret', 'File:///secret', 'file:/secret', 'file:secret', 'file:////secret', 'file:///x//secret'].map(
    (uri): [string, string, boolean] => [`another spelling of a file: ${uri}`, uri, false],
  ),
  ...[
    'file://localhost/secret',
    'file://LOCALHOST/secret',
    'file:///secret?',
    'file:///secret#a',
    ' file:///secret',
  ].map((uri): [string, string, boolean] => [`another spelling of a file: ${uri}`, uri, false]),
  ...[
    'https://A.example/',
    'https://a.example:443/',
    'https:a.example',
    'https:\\\\a.example',
    'https://u@a.example/',
  ].map((uri): [string, string, boolean] => [`another spelling of an address: ${uri}`, uri, false]),
  ...[
    'https://a.example',
    'https://a.example:8443/x?y=//#z',
    'notes://A/B//c?d#e',
    'file:///é b/c',
    'secret',
    'Notes',
  ].map((uri): [string, string, boolean] => [`a plain URI: ${uri}`, uri, true]),
])('%s', async (_what, uri, isAllowed) => {
  const { post, received } = createRuledApp({ rules: [{ deny: 'mcp.resource.name == "file:///secret"' }] });
  await post({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri } });
  expect(received.length).toBe(isAllowed ? 1 : 0);
});

/** Sends requests for resources whose URIs begin with a folder and leave it by dots, and one for a resource in it. Returns the URIs that pass. */
async function leaveFolder({ post, received }: RuledApp): Promise<readonly string[]> {
  const read = (uri: string) => post({ jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri } });
  for (const dots of DOTS) for (const end of ['', '/secret', '%2Fsecret']) await read(FOLDER + dots + end);
  await read(`${FOLDER}a%20b. c/..d%0A.txt`);
  return received.map((body) => JSON.parse(body).params.uri);
}

const FOLDER = 'file:///public/';
const DOTS = ['..', '.%09.', '.%0a.', '.%0D.', '.%250a.', '%09..', '.. ', '..%20', '..%2520', '.%00.', '.%1F.'];

test.each([
  { allow: `mcp.resource.name.startsWith("${FOLDER}")` },
  { require: `mcp.resource.name.startsWith("${FOLDER}")` },
  { deny: `!mcp.resource.name.startsWith("${FOLDER}")` },
])('%j is not left by dots that servers find', async (rule) => {
  expect(await leaveFolder(createRuledApp({ rules: [rule] }))).toEqual([`${FOLDER}a%20b. c/..d%0A.txt`]);
});

test('mcpScopes(): a folder is not left by dots that servers find', async () => {
  const scopes = mcpScopes({ 'resources/read': { '*': false, [`${FOLDER}*`]: true } });
  const app = createRuledApp({ rules: ['true'], mode: 'permissive' }, { before: [scopes] });
  expect(await leaveFolder(app)).toEqual([`${FOLDER}a%20b. c/..d%0A.txt`]);
});
