import * as oauth from 'oauth4webapi';
import { describe, expect, test } from 'vitest';
import { challengeFor } from '../../src/oauth/challenge.js';

const context = { metadataUrl: 'https://mcp.example/m', scopes: [], dpop: 'off', scheme: 'bearer' } as const;

describe('a description has only characters that it may have', () => {
  test.each([
    ['a quote', 'a"b', "a'b"],
    ['a backslash', 'a\\b', 'ab'],
    ['a line break', 'a\r\nset-cookie: x', 'aset-cookie: x'],
    ['a NUL', 'a\0b', 'ab'],
    ['letters that are not ASCII', 'grün, 漢字', 'grn, '],
  ])('%s in a description', (_name, description, written) => {
    const { headers } = challengeFor('insufficient_scope', { ...context, description });
    const challenge = String(headers['www-authenticate']);
    expect(challenge).toBe(
      `Bearer error="insufficient_scope", resource_metadata="https://mcp.example/m", error_description="${written}"`,
    );
    expect(() => new Headers({ 'www-authenticate': challenge })).not.toThrow();
  });
});

test('another implementation reads the same', async () => {
  const both = { ...context, scopes: ['a', 'b'], dpop: 'accept' } as const;
  const { status, headers, body } = challengeFor('token_expired', both);
  const url = new URL('https://mcp.example/mcp');
  const answer = new Response(body, { status, headers: headers as Record<string, string> });
  const customFetch = () => Promise.resolve(answer);
  const options = { [oauth.customFetch]: customFetch };
  const error = await oauth
    .protectedResourceRequest('token', 'GET', url, undefined, undefined, options)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
  expect((error as oauth.WWWAuthenticateChallengeError).cause).toMatchObject([
    {
      scheme: 'bearer',
      parameters: { error: 'invalid_token', scope: 'a b', resource_metadata: 'https://mcp.example/m' },
    },
    { scheme: 'dpop', parameters: { algs: expect.stringContaining('ES256') } },
  ]);
});

test('without any parameter a challenge is its scheme alone', () => {
  const bare = { ...context, metadataUrl: undefined, dpop: 'accept' } as const;
  expect(challengeFor('missing_token', bare).headers['www-authenticate']).toMatch(/^Bearer, DPoP algs="/);
});
