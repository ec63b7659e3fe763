import { expect, test } from 'vitest';
import { isAcceptableRedirectUri, registeredRedirectUri, withParameters } from '../../src/oauth-proxy/redirect-uri.js';

test.each([
  'https://client.example/callback',
  'https://client.example',
  'https://client.example:8443/cb?tenant=1',
  'http://localhost/callback',
  'http://localhost:33418',
  'http://127.0.0.1:33418/',
  'http://127.0.0.1?a=b',
  'http://[::1]:1234/callback',
  'cursor://anysphere.cursor-retrieval/oauth/callback',
  'com.example.app:/oauth',
  'vscode-insiders://a/cb',
  'claude://a/cb',
  'vscode://vscode.github-authentication/did-authenticate',
])('%s may be registered', (uri) => {
  expect(isAcceptableRedirectUri(uri)).toBe(true);
});

test.each([
  '',
  'callback',
  '/callback',
  '//client.example/callback',
  'http://client.example/callback',
  'http://127.0.0.1.evil.example/callback',
  'http://localhost.evil.example/',
  'http://localhost:80@evil.example/',
  'http://localhost:123456/',
  'http://127.0.0.2/',
  'http://0.0.0.0/',
  'https://user@client.example/',
  'https://user:password@client.example/',
  'https://client.example/#fragment',
  'https://client.example/#',
  'https:client.example/callback',
  'https:///client.example',
  'https://client.example\\@evil.example/',
  'https://client.example/\r\nset-cookie: a=b',
  'https://client.example/ ',
  ' https://client.example/',
  'https://client.exämple/',
  'https://client.example/"><script>',
  'javascript:alert(1)',
  'javascript://client.example/%0aalert(1)',
  'JavaScript://client.example/%0aalert(1)',
  'java\tscript://a/b',
  'data:text/html,hello',
  'data://text/html,hello',
  'vbscript:msgbox(1)',
  'file:///etc/passwd',
  'blob:https://client.example/1',
  'filesystem:https://client.example/1',
  'view-source:https://client.example/',
  'about:blank',
  'ftp://client.example/',
  'ws://client.example/',
  'mailto:a@example.com',
  'urn:ietf:wg:oauth:2.0:oob',
  'intent://scan/#Intent;end',
  'ms-msdt:/id',
  'MS-Settings://a/b',
  'web+mcp://a/b',
  'shell://a/b',
  'search://a/b',
  'smb://evil.example/share',
  'chrome-extension://abc/cb',
  'itms-services://a/b',
  'sftp://a/b',
])('%j may not', (uri) => {
  expect(isAcceptableRedirectUri(uri)).toBe(false);
});

test('a URI of more than 512 characters may not', () => {
  expect(isAcceptableRedirectUri(`https://client.example/${'a'.repeat(500)}`)).toBe(false);
});

test.each<[string, string, boolean]>([
  ['https://a.example/cb', 'https://a.example/cb', true],
  ['https://a.example/cb/', 'https://a.example/cb', false],
  ['https://a.example/CB', 'https://a.example/cb', false],
  ['https://A.example/cb', 'https://a.example/cb', false],
  ['https://a.example:443/cb', 'https://a.example/cb', false],
  ['https://a.example/cb?x=1', 'https://a.example/cb', false],
  ['https://a.example/%63b', 'https://a.example/cb', false],
  ['https://a.example/x/../cb', 'https://a.example/cb', false],
  ['https://a.example/cb#x', 'https://a.example/cb', false],
  ['https://a.example.evil.example/cb', 'https://a.example/cb', false],
  ['http://a.example/cb', 'https://a.example/cb', false],
  ['http://127.0.0.1:5000/cb', 'http://127.0.0.1/cb', true],
  ['http://127.0.0.1:5000/cb', 'http://127.0.0.1:6000/cb', true],
  ['http://127.0.0.1/cb', 'http://127.0.0.1:6000/cb', true],
  ['http://localhost:5000/cb', 'http://localhost/cb', true],
  ['http://[::1]:5000/cb', 'http://[::1]:6000/cb', true],
  ['http://localhost:5000/cb', 'http://127.0.0.1/cb', false],
  ['http://127.0.0.1:5000/cb2', 'http://127.0.0.1/cb', false],
  ['http://127.0.0.1:5000/cb?x', 'http://127.0.0.1/cb', false],
  ['http://127.0.0.1:99999/cb', 'http://127.0.0.1/cb', false],
  ['http://127.0.0.1:99999/cb', 'http://127.0.0.1:99999/cb', false],
  ['javascript:alert(1)', 'javascript:alert(1)', false],
  ['http://127.0.0.1:5000@evil.example/cb', 'http://127.0.0.1/cb', false],
  ['http://127.0.0.1:5000.evil.example/cb', 'http://127.0.0.1/cb', false],
  ['https://127.0.0.1:5000/cb', 'http://127.0.0.1/cb', false],
  ['cursor://a/cb', 'cursor://a/cb', true],
  ['cursor://a:1/cb', 'cursor://a/cb', false],
])('%s for the registered %s: %s', (given, registered, same) => {
  expect(registeredRedirectUri(given, [registered])).toBe(same ? registered : undefined);
});

test.each([
  ['https://a.example/cb', 'https://a.example/cb?code=1+2&state=%26'],
  ['https://a.example/cb?x=%20y', 'https://a.example/cb?x=%20y&code=1+2&state=%26'],
  ['com.example.app:/oauth', 'com.example.app:/oauth?code=1+2&state=%26'],
])('%s keeps its bytes when parameters join', (uri, expected) => {
  expect(withParameters(uri, { code: '1 2', state: '&', iss: undefined })).toBe(expected);
});
