import { expect, test } from 'vitest';
import { createRuledApp } from '../support/ruled-app.js';

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
