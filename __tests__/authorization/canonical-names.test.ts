import { expect, test } from 'vitest';
import { callTool, createScopedApp, readResource } from '../support/scoped-app.js';

const RULES = {
  'tools/call': { delete_file: ['files:write'] },
  'resources/read': {
    'file:///secret/*': ['files:secret'],
    'notes:secret/*': ['files:secret'],
    'notes://a/secret/*': ['files:secret'],
    'github+file:///secret/*': ['files:secret'],
    'svc.ns+file:///secret/*': ['files:secret'],
  },
};

const spellings: string[] = ['DELETE_FILE', 'Delete_File', ' delete_file ', 'ｄelete_file', 'delete_ﬁle'];

test.each(spellings)('a tool called %j is under the rule of delete_file', async (name) => {
  const { post } = createScopedApp(RULES);
  expect((await post(callTool(name))).status).toBe(403);
  expect((await post(callTool(name), ['files:write'])).status).toBe(200);
});

const uris: [uri: string, isSecret: boolean][] = [
  ['file:///secret/a', true],
  ['FILE:///SECRET/a', true],
  ['file:///%73ecret/a', true],
  ['file:///%2573ecret/a', true],
  ['file:///public/../secret/a', true],
  ['file:///public/%2e%2e/secret/a', true],
  ['file:///public%2f..%2fsecret%2fa', true],
  ['file:///./secret/a', true],
  ['file://localhost/secret/a', true],
  ['file:/secret/a', true],
  ['file:////secret//a', true],
  ['file:\\\\\\secret\\a', true],
  ['file:///secret%5ca', true],
  ['file:///secret/%ff/%2e', true],
  ['file:///%73ecret/%ff', true],
  ['file:///x//../secret/a', true],
  ['file:///x//%2e%2e/secret/a', true],
  ['file:///tmp/x//..//../secret/a', true],
  ['file:///x\\\\..\\secret\\a', true],
  ['file:///x/\uff0e\uff0e/secret/a', true],
  ['file://x/secret/a', true],
  ['file://x//../secret/a', true],
  ['file://x/../secret/a', true],
  ['file:x/../secret/a', true],
  ['file:///\u017fecret/a', true],
  ['notes:secret/a', true],
  ['notes:a/../secret/x', true],
  ['notes:a//..//./secret/x', true],
  ['notes://a/b//../secret/x', true],
  ['notes://a/b//../../secret/x', true],
  ['notes:a/secret/x', false],
  ['file:///secret/../public/a', true],
  ['file:///public/a..b/./secret', false],
  ['file:///public/secret/a', false],
  ['file:///secretive', false],
  ['https://example.com/file', false],
  ['github+file:///secret/a', true],
  ['github+FILE:///SECRET/a', true],
  ['github+file://localhost/secret/a', true],
  ['github+file:/x/../secret/a', true],
  ['github+file:\\\\\\secret\\a', true],
  ['github+file:///%73ecret/a', true],
  ['github+file:///public/a', false],
  ['svc.ns+file:///%73ecret/a', true],
  ['svc.ns+file://localhost/secret/a', true],
  ['svc.ns+file:///public/a', false],
  ['other+file:///secret/a', false],
  ['not a uri', false],
];

test.each(uris)('the resource %j is secret: %j', async (uri, isSecret) => {
  const { post } = createScopedApp(RULES);
  expect((await post(readResource(uri))).status).toBe(isSecret ? 403 : 200);
});

const capitals: [name: string, rule: string][] = [
  ['\u017fecret', 'secret'],
  ['to\u212aen', 'token'],
];

test.each(capitals)(
  'a tool called %j, with a letter that has two capitals, is under the rule of %j',
  async (name, rule) => {
    const { post } = createScopedApp({ 'tools/call': { [rule]: ['x'] } });
    expect((await post(callTool(name))).status).toBe(403);
  },
);

test.each(['Tools/Call', 'tools/call ', 'tool\u017f/call', 'Tools/List', 'Logging/SetLevel'])(
  'the method %j is answered 400: a server may read it as another method',
  async (method) => {
    const { post, received } = createScopedApp(RULES);
    const response = await post({ ...callTool('delete_file'), method });
    expect(response.status).toBe(400);
    expect(response.body.error.data).toEqual({ reason: 'ambiguous_message' });
    expect(received).toEqual([]);
  },
);

test.each([
  ['a name', callTool('a'.repeat(8193)), 'unusable_target'],
  ['a URI', readResource(`file:///${'\ufdfa'.repeat(3000)}`), 'unusable_target'],
  ['a method', { ...callTool('a'), method: `${' '.repeat(8193)}tools/call` }, 'not_json_rpc'],
])('%s that is too long is answered 400 before its spellings are compared', async (_what, message, reason) => {
  const { post, received } = createScopedApp(RULES);
  const response = await post(message);
  expect(response.status).toBe(400);
  expect(response.body.error.data).toEqual({ reason });
  expect(received).toEqual([]);
});

test('a batch of long URIs is answered 413 before their spellings are compared', async () => {
  const { post, received } = createScopedApp(RULES);
  const long = readResource(`file:///${'a'.repeat(8000)}`);
  expect((await post(Array.from({ length: 8 }, () => long))).status).toBe(200);
  expect((await post(Array.from({ length: 9 }, () => long))).status).toBe(413);
  expect(received.length).toBe(1);
});

test('a name of the maximum length passes', async () => {
  const { post } = createScopedApp(RULES);
  expect((await post(callTool('a'.repeat(8192)))).status).toBe(200);
});

test('a URI that is encoded too often is denied', async () => {
  const { post } = createScopedApp(RULES);
  let uri = 'file:///secret/a';
  for (let i = 0; i < 9; i += 1) uri = `file:${encodeURIComponent(uri.slice('file:'.length))}`;
  expect((await post(readResource(uri), ['files:secret'])).status).toBe(403);
});

test('an exact rule without a query covers the resource with one', async () => {
  const { post } = createScopedApp({ 'resources/read': { 'file:///secret': ['s'] } });
  for (const uri of ['file:///secret?x', 'file:///secret#x']) expect((await post(readResource(uri))).status).toBe(403);
});

test('a pattern with many stars does not block the process', async () => {
  const { post } = createScopedApp({ 'tools/call': { [`${'*a'.repeat(50)}*b`]: ['x'] } });
  const began = process.cpuUsage();
  await post(callTool('a'.repeat(8192)));
  expect(process.cpuUsage(began).user / 1000, 'milliseconds').toBeLessThan(2000);
});
