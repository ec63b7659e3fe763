import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { ReadResourceRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import express, { type RequestHandler } from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type Middleware, mcpAuth, mcpAuthorization, mcpScopes } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { createRuledApp } from '../support/ruled-app.js';

/** The name under which a server keeps a resource, from the URI of a request. */
type Reader = (uri: string) => string;

const SECRET = 'TOP SECRET';
const issuer = createTestIssuer();
const authenticate = mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp' }));
const authorization = `Bearer ${issuer.token({})}`;

/** A server of the MCP SDK v1 with a secret resource of this URI. A reader looks it up in place of the SDK. */
function createServer(secret: string, reader?: Reader): McpServer {
  const server = new McpServer({ name: 'secrets', version: '1' });
  const contents = [{ uri: secret, text: SECRET }];
  if (reader === undefined) server.registerResource('secret', secret, {}, () => ({ contents }));
  else {
    server.server.registerCapabilities({ resources: {} });
    server.server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => ({
      contents: reader(uri) === secret ? contents : [],
    }));
  }
  return server;
}

/** The same with a tool and a prompt of this name. */
function createNamesServer(name: string): McpServer {
  const server = new McpServer({ name: 'secrets', version: '1' });
  server.registerTool(name, {}, () => ({ content: [{ type: 'text', text: SECRET }] }));
  server.registerPrompt(name, {}, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: SECRET } }],
  }));
  return server;
}

/** Sends a request to such a server behind middlewares. */
async function answerTo(
  message: { method: string; params: object },
  create: () => McpServer,
  ...middlewares: readonly Middleware[]
): Promise<string> {
  const app = express().use(authenticate, ...middlewares, (async (req, res) => {
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    await create().connect(transport as never);
    await transport.handleRequest(req as never, res, req.body);
  }) as RequestHandler);
  const { text } = await request(app as never)
    .post('/mcp')
    .set({ authorization, accept: 'application/json, text/event-stream' })
    .send({ jsonrpc: '2.0', id: 1, ...message });
  return text;
}

const quote = (uri: string) => JSON.stringify(uri);

/** The middlewares that keep a resource secret. */
const MIDDLEWARES: readonly [what: string, create: (uri: string) => Middleware][] = [
  ['deny', (uri) => mcpAuthorization({ rules: [{ deny: `mcp.resource.name == ${quote(uri)}` }] })],
  [
    'deny of a caller without a role',
    (uri) => mcpAuthorization({ rules: [{ deny: `mcp.resource.name == ${quote(uri)} && jwt.role != "admin"` }] }),
  ],
  ['deny of a folder', (uri) => mcpAuthorization({ rules: [{ deny: `mcp.resource.name.startsWith(${quote(uri)})` }] })],
  ['require', (uri) => mcpAuthorization({ rules: [{ require: `mcp.resource.name != ${quote(uri)}` }] })],
  ['allow', (uri) => mcpAuthorization({ rules: [`!(mcp.resource.name in [${quote(uri)}])`] })],
  ['mcpScopes()', (uri) => mcpScopes({ 'resources/read': { [uri]: false } })],
];

const url = (uri: string) => new URL(uri);
const decoded =
  (read: Reader): Reader =>
  (uri) =>
    decodeURIComponent(read(uri));

/** Other ways to find a resource than the SDK's. Those of Python and Go are imitated. */
const READERS = {
  'the class URL': (uri) => url(uri).href,
  'decoded path': decoded((uri) => `file://${url(uri).pathname}`),
  'decoded URL': decoded((uri) => url(uri).href),
  'Python host': (uri) => `memo://${/^\w+:\/\/(?:[^/@]*@)?([^/:?#]*)/.exec(uri)?.[1]?.toLowerCase()}`,
  'Python path': (uri) => `note:///${/^\w+:(?:\/\/[^/?#]*)?\/([^?#]*)/.exec(uri)?.[1]}`,
  'Python file': (uri) => `file:///${/^file:(?:\/\/[^/?#]*)?\/([^?#]*)/.exec(uri)?.[1]}`,
  'Go URL': (uri) => uri.replace(/#$/, ''),
  'file system': (uri) => uri.replace(/(?<=\w)[\\/]+/g, '/'),
  fetch: (uri) => {
    const { origin, pathname, search } = url(uri);
    return origin + pathname + search;
  },
} satisfies Record<string, Reader>;

const SDK_ROWS: readonly [secret: string, sent: string][] = [
  ['file:///etc/secret', 'file:///etc/secret '],
  ['file:///etc/secret', ' file:///etc/secret'],
  ['file:///etc/secret', 'file:///etc\\secret'],
  ['file:///etc/secret', 'file:\\\\\\etc\\secret'],
  ['file:///etc/secret', 'file:/etc/secret'],
  ['file:///etc/secret', 'file:///x/../etc/secret'],
  ['file:///etc/secret', 'file:///x/%2e%2e/etc/secret'],
  ['file:///etc/secret', 'file:///etc/secr\tet'],
  ['file:///etc/secret', 'FILE:///etc/secret'],
  ['file:///etc/secret', 'file://localhost/etc/secret'],
  ['file:///C:/secret', 'file:///C|/secret'],
  ['file:///a%20b', 'file:///a b'],
  ['file:///%C3%A9', 'file:///é'],
  ['file:///a%7Bb%7D', 'file:///a{b}'],
  ['memo://secret', 'memo://secret '],
  ['memo://secret', '  memo://secret  '],
  ['memo://secret', 'MEMO://secret'],
  ['memo://a/secret', 'memo://a/x/../secret'],
  ['memo://a/b%20c', 'memo://a/b c'],
  ['https://h.example/', 'https://h.example'],
  ['https://h.example/admin/key', 'https://h.example/admin\\key'],
  ['https://h.example/admin/key', 'https:\\\\h.example\\admin/key'],
  ['https://h.example/admin/key', 'https://h.example/admin/key '],
  ['https://h.example/admin/key', 'https:h.example/admin/key'],
  ['https://h.example/admin/key', 'https:///h.example/admin/key'],
  ['https://h.example/admin/key', 'https://H.example/admin/key'],
  ['https://h.example/admin/key', 'https://h.example:443/admin/key'],
  ['https://h.example/admin/key', 'https://h.example:/admin/key'],
  ['https://h.example/admin/key', 'https://%68.example/admin/key'],
  ['https://h.example/admin/key', 'https://\uff48.example/admin/key'],
  ['https://h.example/admin/key', 'https://h.exam\u00adple/admin/key'],
  ['https://h.example/admin/key', 'https://@h.example/admin/key'],
  ['https://h.example/?q=%22', 'https://h.example/?q="'],
  ['http://127.0.0.1/key', 'http://127.1/key'],
];

const READER_ROWS: readonly [reader: keyof typeof READERS, secret: string, sent: string][] = [
  ['the class URL', 'file:///a%20b', 'file:///a b'],
  ['decoded path', 'file:///etc/secret', 'file:///etc%2Fsecret'],
  ['decoded path', 'file:///etc/secret', 'file:///%65tc/secret'],
  ['decoded path', 'file:///é b', 'file:///%C3%A9%20b'],
  ['decoded path', 'file:///é b', 'file:///é%20b'],
  ['decoded URL', 'memo://a/b', 'memo://a%2Fb'],
  ['decoded URL', 'memo://a/b c', 'memo://a/b%20c'],
  ['decoded URL', 'https://h.example/a/b', 'https://h.example/a%2fb'],
  ['Python host', 'memo://secret', 'memo://SECRET'],
  ['Python host', 'memo://key', 'memo://\u212aey'],
  ['Python host', 'memo://secret', 'memo://u@secret'],
  ['Python host', 'memo://secret', 'memo://secret:80'],
  ['Python host', 'memo://secret', 'memo://secret/'],
  ['Python host', 'memo://secret', 'memo://secret#'],
  ['Python path', 'note:///1', 'note:/1'],
  ['Python file', 'file:///etc/secret', 'file://a:1/etc/secret'],
  ['Python file', 'file:///etc/secret', 'file://a b/etc/secret'],
  ['Python file', 'file:///etc/secret', 'file:///etc/secret#x'],
  ['Go URL', 'memo://secret', 'memo://secret#'],
  ['file system', 'docs://a/b/c', 'docs://a//b/c'],
  ['file system', 'docs://a/b/c', 'docs://a/b\\c'],
  ['fetch', 'https://h.example/admin/key', 'https://h.example/admin/key#x'],
  ['fetch', 'https://h.example/admin/key', 'https://u@h.example/admin/key'],
  ['fetch', 'https://h.example/admin/key', 'https://u:p@h.example/admin/key'],
];

function read(uri: string) {
  return { method: 'resources/read', params: { uri } };
}

/** All rows. Without a reader, the SDK looks resources up. */
const ROWS = [
  ...SDK_ROWS.map(([secret, sent]) => ({ secret, sent, reader: undefined })),
  ...READER_ROWS.map(([reader, secret, sent]) => ({ secret, sent, reader })),
];

async function readableRows(create: (secret: string) => readonly Middleware[]) {
  const answers = ROWS.map(({ secret, sent, reader }) =>
    answerTo(read(sent), () => createServer(secret, reader && READERS[reader]), ...create(secret)),
  );
  const texts = await Promise.all(answers);
  return ROWS.filter((_row, i) => texts[i]?.includes(SECRET));
}

test('servers read a resource by many spellings of its URI', async () => {
  expect(await readableRows(() => [])).toEqual(ROWS);
});

test.each(MIDDLEWARES)('%s keeps a resource secret under each of them', async (_what, create) => {
  expect(await readableRows((secret) => [create(secret)])).toEqual([]);
});

test('SDK v1 reads no other name of a tool or a prompt as a denied one', async () => {
  const rules = [{ deny: 'mcp.tool.name == "delete"' }, { deny: 'mcp.prompt.name == "delete"' }];
  const scopes = { 'tools/call': { delete: false }, 'prompts/get': { delete: false } } as const;
  for (const middleware of [mcpAuthorization({ rules }), mcpScopes(scopes)]) {
    for (const name of ['delete', ...OTHER_NAMES]) {
      for (const method of ['tools/call', 'prompts/get']) {
        const message = { method, params: { name } };
        expect(await answerTo(message, () => createNamesServer('delete'), middleware)).not.toContain(SECRET);
      }
    }
  }
});

const OTHER_NAMES = [
  ...['delete ', ' delete', 'delete\u00a0', 'DELETE', 'de\u00adlete', '\uff44elete', 'delete\u0000', 'd%65lete'],
  ...['delete\n', 'delete\u200b', './delete', 'x/../delete', 'constructor', '__proto__'],
];

test.each<[rules: Readonly<Record<string, boolean>>, uri: string]>([
  [{ '*': false, 'memo://ann': true }, 'memo://ann'],
  [{ '*': false, 'postgres://db:5432/*': true }, 'postgres://db:5432/users'],
  [{ '*': false, 'file:///public/*': true }, 'file:///public/a%20b'],
  [{ '*': false, 'db://*': true }, 'db://ann@dev/users'],
  [{ '*': false, 'db://ann@*': true }, 'db://ann@dev/users'],
  [{ 'db://h/*': false, 'db://h:5432/*': true }, 'db://h:5432/users'],
  [{ 'db://dev/*': false, 'db://ann@dev/*': true }, 'db://ann@dev/users'],
])('mcpScopes(): %j still allows %j', async (rules, uri) => {
  const create = () => createServer(uri, (sent) => sent);
  expect(await answerTo(read(uri), create, mcpScopes({ 'resources/read': rules }))).toContain(SECRET);
});

test.each<[rules: Readonly<Record<string, boolean>>, uri: string]>([
  [{ '*': false, 'memo://team-*': true }, 'memo://team-@secret'],
  [{ '*': false, 'memo://team-*': true }, 'memo://team-a:b@secret:1'],
  [{ '*': false, 'memo://team-*': true }, 'memo://team-%40secret'],
  [{ '*': false, 'memo://team-*': true }, 'memo://team-%2540secret/'],
  [{ '*': false, 'https://h*': true }, 'https://h@secret.example/'],
  [{ '*': false, 'a+memo://team-*': true }, 'a+memo://team-@secret'],
  [{ 'memo://a/*': false, 'memo://team-*': true }, 'memo://team-@a/1'],
  // The name of a target may begin with a digit.
  [{ '*': false, '1x+memo://team-*': true }, '1x+memo://team-@secret'],
  [{ '1x+memo://secret': false }, '1x+memo://ann@secret'],
  [{ '1x+memo://secret': false }, '1x+memo://secret:1'],
  [{ '*': true, '-+memo://secret': false }, '-+memo://ann@secret'],
  [{ 'memo://secret/*': false, 'memo://*': true }, 'memo://u@secret:1/a'],
  [{ 'db://h/*': false, 'db://h*': true }, 'db://h:5432/users'],
])('mcpScopes(): %j denies %j', async (rules, uri) => {
  const create = () => createServer(uri, (sent) => sent);
  expect(await answerTo(read(uri), create, mcpScopes({ 'resources/read': rules }))).not.toContain(SECRET);
});

test('a request with thousands of spellings is denied before it takes long', async () => {
  const { post, received } = createRuledApp({ rules: [{ deny: 'mcp.resource.name == "memo://secret"' }] });
  const uris = Array.from({ length: 990 }, (_, i) => `memo://a:${i}/%252520%2525C3%2525A9//${i}?#x`);
  await post(uris.map((uri, id) => ({ jsonrpc: '2.0', id, ...read(uri) })));
  expect(received).toEqual([]);
});
