import { expect, test } from 'vitest';
import { createChecks } from '../../src/options/checks.js';
import { readOptions } from '../../src/options/option-table.js';
import { CLIENT_DOCUMENTS_TABLE, matchesClientId } from '../../src/policy/resolve-client-documents.js';

test.each([
  ['https://app.example/c', 'https://app.example/c', true],
  ['https://app.example/c', 'https://app.example/c/d', false],
  ['https://app.example/c', 'https://app.example/C', false],
  ['https://app.example/*', 'https://app.example/c', true],
  ['https://app.example/*', 'https://app.example/a/b?c', true],
  ['https://app.example/*', 'https://app.example:8443/c', false],
  ['https://app.example:8443/*', 'https://app.example:8443/c', true],
  ['https://app.example/*', 'https://app.example.evil.example/c', false],
  ['https://app.example/*', 'https://evil.example/https://app.example/c', false],
])('%s matches %s: %s', (pattern, url, expected) => {
  expect(matchesClientId(pattern, url)).toBe(expected);
});

const read = (options: Record<string, unknown>) =>
  readOptions(createChecks('mcpAuth()'), CLIENT_DOCUMENTS_TABLE, options, 'oauthProxy.clientDocuments');

test('the defaults fetch every document, and ask about every client', () => {
  expect(read({})).toEqual({ enabled: true, allow: undefined, skipConsent: [] });
  expect(read({ allow: ['https://a.example/*', 'https://b.example/c'] }).allow).toHaveLength(2);
});

test.each([
  [['https://*.example/*']],
  [['https://app.example/a/*']],
  [['https://app.example*']],
  [['*']],
  [['https://app.example']],
  [['https://app.example/']],
  [['http://app.example/*']],
  [['https://app.example:80/*']],
  [['https://a@app.example/*']],
  [['https://app.example/c', 'app.example']],
])('%j is refused', (list) => {
  for (const option of ['allow', 'skipConsent']) {
    expect(() => read({ [option]: list })).toThrow(
      `mcpAuth(): option "oauthProxy.clientDocuments.${option}" must be an array in which each is an https URL with a path`,
    );
  }
});

test('an empty list is refused where it would allow nothing', () => {
  expect(() => read({ allow: [] })).toThrow('"oauthProxy.clientDocuments.allow" must be a list that is not empty');
  expect(read({ skipConsent: [] }).skipConsent).toEqual([]);
});
