import { expect, test } from 'vitest';
import { clientIdUrl } from '../../src/oauth/client-id-url.js';

test.each([
  'https://claude.ai/oauth/mcp-oauth-client-metadata',
  'https://chatgpt.com/oauth/tU1UVEq8rRTK/client.json',
  'https://app.example:8443/client.json',
  'https://app.example:1024/c',
  'https://app.example/a/?v=1&x=/../y',
  'https://app.example/a%2Fb/%41.json',
  'https://app.example/...',
  'https://app.example//',
  'https://app.example/.well-known/client',
  'https://xn--bcher-kva.example/c',
  'https://a_b.1-2.example/c',
  'https://localhost/c',
  'https://127.0.0.1:8443/c',
  'https://[::1]:8443/c',
])('%s is the id of a client', (text) => {
  expect(clientIdUrl(text)?.href).toBe(text);
});

test('an id has at most 512 characters', () => {
  const ofLength = (length: number) => `https://app.example/${'a'.repeat(length - 20)}`;
  expect(clientIdUrl(ofLength(512))).toBeDefined();
  expect(clientIdUrl(ofLength(513))).toBeUndefined();
});

test.each([
  ['no path', 'https://app.example'],
  ['the path /', 'https://app.example/'],
  ['the path / with a query', 'https://app.example/?a'],
  ['http', 'http://app.example/c'],
  ['a scheme in upper case', 'HTTPS://app.example/c'],
  ['another scheme', 'javascript:alert(1)'],
  ['a fragment', 'https://app.example/c#a'],
  ['an empty fragment', 'https://app.example/c#'],
  ['a user name', 'https://claude.ai@app.example/c'],
  ['an empty user name', 'https://@app.example/c'],
  ['a password', 'https://:a@app.example/c'],
  ['an empty query', 'https://app.example/c?'],
  ['.', 'https://app.example/./c'],
  ['..', 'https://app.example/a/../c'],
  ['.. at the end', 'https://app.example/a/..'],
  ['.. percent-encoded', 'https://app.example/a/%2e%2E/c'],
  ['.. half percent-encoded', 'https://app.example/a/.%2e/c'],
  ['. percent-encoded', 'https://app.example/%2e/c'],
  ['a host in upper case', 'https://App.example/c'],
  ['a host with a dot at its end', 'https://app.example./c'],
  ['a host in Unicode', 'https://bücher.example/c'],
  ...["'", ',', '!', '(', ')', '*', '+', ';', '=', '&', '$', '~'].map((character) => [
    `a host with ${character}`,
    `https://claude.ai${character}app.example/c`,
  ]),
  ['a host that begins with a dot', 'https://.app.example/c'],
  ['a host with two dots in a row', 'https://app..example/c'],
  ['no host', 'https:///c'],
  ['one slash', 'https:/app.example/c'],
  ['a backslash', 'https://app.example\\c'],
  ['a space', 'https://app.example/a b'],
  ['a space around it', ' https://app.example/c'],
  ['a tab within', 'https://app.exa\tmple/c'],
  ['a line break', 'https://app.example/c\n'],
  ['a quote', 'https://app.example/"c'],
  ['a bracket', 'https://app.example/<c>'],
  ['a bar', 'https://app.example/a|b'],
  ['a broken escape', 'https://app.example/%zz'],
  ['half an escape', 'https://app.example/%4'],
  ['port 443 written out', 'https://app.example:443/c'],
  ['port 80', 'https://app.example:80/c'],
  ['port 22', 'https://app.example:22/c'],
  ['port 1023', 'https://app.example:1023/c'],
  ['port 0', 'https://app.example:0/c'],
  ['a port with a zero in front', 'https://app.example:08443/c'],
  ['a port that no host has', 'https://app.example:65536/c'],
  ['no port after a colon', 'https://app.example:/c'],
  ['an octal address', 'https://0177.0.0.1/c'],
  ['a hexadecimal address', 'https://0x7f000001/c'],
  ['an integer', 'https://2130706433/c'],
  ['a short address', 'https://127.1/c'],
  ['an IPv4 address in IPv6, with dots', 'https://[::ffff:127.0.0.1]/c'],
  ['an IPv6 address with zeros', 'https://[0:0::1]/c'],
  ['an IPv6 address with a zone', 'https://[fe80::1%25lo]/c'],
  ['nothing', ''],
])('a URL with %s is not the id of a client', (_what, text) => {
  expect(clientIdUrl(text)).toBeUndefined();
});
