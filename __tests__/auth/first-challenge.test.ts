import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { good } from '../support/good-policy.js';
import {
  claims,
  createProtectedApp,
  expectTokenRequired,
  METADATA_URL,
  parseChallenge,
  RESOURCE,
} from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const SUPPORTED = ['read', 'write', 'offline_access'];
const withScopes = (options: Record<string, unknown>) =>
  createProtectedApp({ resourceMetadata: { resource: RESOURCE, scopesSupported: SUPPORTED }, ...options }, signer);

const FIX =
  'Leave it out for requiredScopes, write "supported" for those of resourceMetadata.scopesSupported, or list scopes.';

describe('challengeScopes', () => {
  test('by default the first challenge has no scope, although scopesSupported is set', async () => {
    expectTokenRequired(await withScopes({}).get());
  });

  test.each<[Record<string, unknown>, string | undefined]>([
    [{ requiredScopes: ['read'] }, 'read'],
    [{ challengeScopes: [] }, undefined],
    [{ challengeScopes: ['read'] }, 'read'],
    [{ challengeScopes: ['other'] }, 'other'],
    [{ challengeScopes: 'supported' }, 'read write'],
    [{ challengeScopes: ['write', 'read'], requiredScopes: ['read'] }, 'read write'],
    [{ challengeScopes: 'supported', requiredScopes: ['write'] }, 'write read'],
  ])('%j: every 401 asks for %s', async (options, scope) => {
    const { get } = withScopes(options);
    for (const authorization of [undefined, 'Bearer bad', `Bearer ${signer.sign(claims({ exp: 1 }))}`]) {
      const response = await get(authorization);
      expect(response.status).toBe(401);
      expect(parseChallenge(response.headers['www-authenticate']).scope).toBe(scope);
    }
  });

  test('a 403 asks for the scopes that are missing or required, and no others', async () => {
    const { send } = withScopes({ challengeScopes: 'supported', requiredScopes: ['admin'] });
    const response = await send(signer.sign(claims()));
    expect(response.status).toBe(403);
    expect(parseChallenge(response.headers['www-authenticate']).scope).toBe('admin');
  });

  test.each<[unknown, string]>([
    ['read', `an array of scopes, or "supported", but got "read". ${FIX}`],
    [7, `an array of non-empty strings, but got 7. ${FIX}`],
    [['a b'], `an array of scopes without spaces, quotes or backslashes, but got ["a b"]. ${FIX}`],
    [['"'], `an array of scopes without spaces, quotes or backslashes, but got ["\\""]. ${FIX}`],
    [
      'supported',
      'a list where resourceMetadata.scopesSupported is not given, but got "supported". Set resourceMetadata.scopesSupported too.',
    ],
  ])('%j is refused', (challengeScopes, message) => {
    const options = { ...good, challengeScopes } as McpAuthOptions;
    expect(() => mcpAuth(options)).toThrow(`mcpAuth(): option "challengeScopes" must be ${message}`);
  });
});

describe('offline_access in scopesSupported', () => {
  const warningsOf = (options: object) => {
    const { lines, logger } = createRecordingLogger();
    mcpAuth({
      ...good,
      logger,
      resourceMetadata: { resource: RESOURCE, scopesSupported: SUPPORTED },
      ...options,
    } as McpAuthOptions);
    return lines;
  };

  test('is warned about once', () => {
    expect(warningsOf({})).toEqual([
      expect.stringContaining('warn mcpAuth(): resourceMetadata.scopesSupported has "offline_access"'),
    ]);
  });

  test('is right behind an OAuth proxy, whose metadata announces it', () => {
    const options = {
      issuer: 'https://kc.example/realms/a',
      provider: 'keycloak',
      oauthProxy: { secret: 'x'.repeat(32) },
    };
    expect(warningsOf(options)).toEqual([]);
  });
});

describe('resourceMetadata.url', () => {
  const URL_IN_CHALLENGE = 'https://gateway.example/tools/.well-known/oauth-protected-resource/mcp?v=1';
  const open = (url: string, options: Record<string, unknown> = {}) =>
    createProtectedApp({ resourceMetadata: { resource: RESOURCE, url }, ...options }, signer);

  test('is the address in every challenge', async () => {
    const { get, send } = open(URL_IN_CHALLENGE, { requiredScopes: ['read'] });
    for (const response of [await get(), await get('Bearer bad'), await send(signer.sign(claims()))]) {
      expect(parseChallenge(response.headers['www-authenticate']).resource_metadata).toBe(URL_IN_CHALLENGE);
    }
  });

  test.each([
    '/tools/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-protected-resource',
  ])('is served also at %s', async (path) => {
    // Other tests serve documents of RESOURCE, and only one policy of an origin has the document at the root.
    const resource = 'https://first-challenge.example/mcp';
    const url = 'https://gateway.example/tools/.well-known/oauth-protected-resource/mcp';
    const { get } = open(url, { resourceMetadata: { resource, url } });
    const { status, body } = await get(undefined, path);
    expect([status, body.resource]).toEqual([200, resource]);
    expect(body).not.toHaveProperty('url');
  });

  test('may be any address, and is served without a token there alone', async () => {
    const { get } = open('https://gateway.example/about/mcp.json');
    expect((await get(undefined, '/about/mcp.json')).body.resource).toBe(RESOURCE);
    for (const path of [
      '/about',
      '/about/',
      '/about/mcp.json/',
      '/about/MCP.json',
      '//about/mcp.json',
      '/mcp.json',
      '/about/mcp.json;x',
    ]) {
      expect((await get(undefined, path)).status, path).toBe(401);
    }
  });

  test('is the address also where the resource follows the request', async () => {
    const resourceMetadata = { url: URL_IN_CHALLENGE };
    const { get } = createProtectedApp({ resourceMetadata, audiences: [RESOURCE] }, signer);
    expect(parseChallenge((await get()).headers['www-authenticate']).resource_metadata).toBe(URL_IN_CHALLENGE);
  });

  test.each<[unknown, string]>([
    ['/.well-known/x', 'but got "/.well-known/x". '],
    ['ftp://a.example/', 'but got "ftp://a.example/". '],
    ['https://a.example/#x', 'but got "https://a.example/#x". '],
    ['https://a.example/"', 'but got "https://a.example/\\"". '],
    ['https://a.example/\\', 'but got "https://a.example/\\\\". '],
    ['https://a.example/\r\nx: y', 'but got "https://a.example/\\r\\nx: y". '],
    ['https://a.example/ü', 'but got "https://a.example/ü". '],
    ['https://u:p@a.example/', ''],
  ])('%j is refused', (url, given) => {
    const options = { ...good, resourceMetadata: { resource: RESOURCE, url } } as McpAuthOptions;
    const expected =
      'mcpAuth(): option "resourceMetadata.url" must be an http(s) URL without user or fragment, in ASCII';
    expect(() => mcpAuth(options)).toThrow(`${expected}${given === '' ? '. ' : `, ${given}`}Write the address`);
  });

  test('without it, the address is that of RFC 9728', async () => {
    expect(parseChallenge((await withScopes({}).get()).headers['www-authenticate']).resource_metadata).toBe(
      METADATA_URL,
    );
  });
});
