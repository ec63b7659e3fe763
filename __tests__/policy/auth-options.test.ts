import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import request from 'supertest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError, type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { good, signer } from '../support/good-policy.js';
import { RESOURCE } from '../support/protected-app.js';
import { refusals } from '../support/refused-auth-options.js';

test.each(refusals)('%s is refused at construction, by both middlewares', (_name, options, message) => {
  for (const construct of [mcpAuth, protectedResourceMetadata]) {
    expect(messageOf(() => construct(options as McpAuthOptions))).toBe(`${construct.name}(): ${message}`);
  }
});

function messageOf(construct: () => unknown): string {
  try {
    construct();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'it was accepted';
}

test('a refusal is a ConfigError that names its option', () => {
  expect(() => mcpAuth({ ...good, audiences: [] })).toThrow(ConfigError);
  expect(() => mcpAuth({ ...good, audiences: [] })).toThrow(expect.objectContaining({ option: 'audiences' }));
});

describe('a key file that cannot be used', () => {
  const setUp = (text?: string): string => {
    const folder = mkdtempSync(join(tmpdir(), 'key-file-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'pub-key');
    if (text !== undefined) writeFileSync(file, text);
    return file;
  };

  test.each([
    [
      'missing',
      undefined,
      (file: string) => `a readable file (ENOENT; looked for ${file}), but got "${file}". Correct the path.`,
    ],
    ['empty', '', () => `a JSON Web Key Set, { "keys": [ … ] } (it is empty)`],
    ['no JSON', '-----BEGIN', () => `a JSON Web Key Set, { "keys": [ … ] } (it is not JSON)`],
    ['without keys', '{"keys":[]}', () => `a JSON Web Key Set, { "keys": [ … ] } (its list of keys is empty)`],
    [
      'a key without a set',
      JSON.stringify(signer.jwk),
      () => `a JSON Web Key Set, { "keys": [ … ] } (it has no list called "keys")`,
    ],
  ])('%s', (_name, text, expected) => {
    const file = setUp(text);
    expect(() => mcpAuth({ ...good, jwks: { file } })).toThrow(
      `mcpAuth(): option "jwks.file" must be ${expected(file)}`,
    );
  });

  test('a folder', () => {
    expect(() => mcpAuth({ ...good, jwks: { file: tmpdir() } })).toThrow('must be a readable file (EISDIR;');
  });

  test.each<[what: string, make: (file: string) => void, fault: string]>([
    ['a device without an end', (file) => symlinkSync('/dev/zero', file), 'not a regular file'],
    ['a named pipe without a writer', (file) => void execFileSync('mkfifo', [file]), 'not a regular file'],
    [
      'a link to a named pipe',
      (file) => {
        execFileSync('mkfifo', [`${file}.pipe`]);
        symlinkSync(`${file}.pipe`, file);
      },
      'not a regular file',
    ],
    ['a terminal, or nothing', (file) => symlinkSync('/dev/null', file), 'not a regular file'],
    [
      'a gigabyte',
      (file) => {
        writeFileSync(file, '');
        truncateSync(file, 2 ** 30);
      },
      'larger than 1048576 bytes',
    ],
  ])('%s', (_what, make, fault) => {
    const file = setUp();
    make(file);
    expect(() => mcpAuth({ ...good, jwks: { file } })).toThrow(
      `mcpAuth(): option "jwks.file" must be a readable file (${fault}; looked for ${file})`,
    );
  });
});

describe('what is accepted', () => {
  test.each<[string, Record<string, unknown>]>([
    [
      'undefined, which means absent',
      Object.fromEntries(
        ['mode', 'audiences', 'requiredScopes', 'logger', 'tokenCache', 'issuers'].map((key) => [key, undefined]),
      ),
    ],
    ['empty objects', { tokenCache: {}, jwtValidationOptions: {} }],
    ['console as a logger', { logger: console }],
    ['a derived key set', { jwks: undefined }],
    ['http on loopback', { jwks: { url: 'http://[::1]:7080/certs' } }],
  ])('%s', (_name, changes) => {
    expect(() => mcpAuth({ ...good, ...changes } as McpAuthOptions)).not.toThrow();
  });

  test('an object without a prototype', () => {
    expect(() => mcpAuth(Object.assign(Object.create(null), good))).not.toThrow();
  });

  test('the policy is neither changed nor read again', async () => {
    const policy = Object.freeze({
      ...good,
      audiences: Object.freeze([RESOURCE]),
      resourceMetadata: Object.freeze({ resource: RESOURCE, scopesSupported: ['a'] }),
    });
    const thawed = { ...policy, resourceMetadata: { resource: RESOURCE, scopesSupported: ['a'] } };
    const app = express().use(protectedResourceMetadata(policy));
    const other = express().use(protectedResourceMetadata(thawed));
    thawed.resourceMetadata.scopesSupported.push('b');
    thawed.resourceMetadata.resource = 'changed';
    for (const target of [app, other]) {
      const { body } = await request(target).get('/.well-known/oauth-protected-resource/mcp');
      expect(body).toMatchObject({ resource: RESOURCE, scopes_supported: ['a'] });
    }
  });
});
