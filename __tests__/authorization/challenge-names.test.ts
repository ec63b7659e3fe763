import { extractWWWAuthenticateParams as readWithV2 } from '@modelcontextprotocol/client';
import { extractWWWAuthenticateParams as readWithV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import type { Response } from 'supertest';
import { describe, expect, test } from 'vitest';
import type { ScopeRules } from '../../src/index.js';
import { METADATA_URL, parseChallenge } from '../support/protected-app.js';
import { createRuledApp } from '../support/ruled-app.js';
import { callTool, createScopedApp, readResource } from '../support/scoped-app.js';

/** Texts that a client which searches the header, without regard to quotes, could read as parameters. */
const NAMES = [
  'docs://x?resource_metadata=http://evil.example/p,',
  'docs://x?resource_metadata="http://evil.example/p"',
  'docs://x?scope=admin,',
  'docs://x?scope="admin"',
  'docs://x?error=other,&error_description=other,',
  'docs://x", scope="admin", resource_metadata="http://evil.example/p',
  'docs://x\\", scope="admin',
  'docs://x, DPoP error="use_dpop_nonce", resource_metadata=http://evil.example/p',
];

/** Returns the parameters that both SDKs read in the challenge of an answer. */
function readBySdks({ status, headers }: Response) {
  const answer = new globalThis.Response('', {
    status,
    headers: { 'www-authenticate': headers['www-authenticate'] as string },
  });
  return [readWithV1(answer), readWithV2(answer)].map(({ resourceMetadataUrl, scope, error }) => ({
    url: resourceMetadataUrl?.href,
    scope,
    error,
  }));
}

const twice = <T>(value: T): T[] => [value, value];

describe('a name from the request is in the body alone:', () => {
  const getPrompt = (name: string) => ({ ...callTool(name), method: 'prompts/get', params: { name } });
  const rules = Object.fromEntries(
    ['tools/call', 'prompts/get', 'resources/read'].map((name) => [name, ['docs:read']]),
  );
  const allow = { allow: 'true', scopes: ['docs:read'] };
  const scoped = createScopedApp(rules);
  const asDpop = createScopedApp(rules, { policy: { senderConstraint: { dpop: {} } } });
  const ruled = createRuledApp({ rules: [allow], onDenied: 'challenge' });
  const denied = createScopedApp({ 'tools/call': () => false });

  test.each(NAMES)('%s', async (name) => {
    for (const message of [callTool(name), getPrompt(name), readResource(name)]) {
      const answers = [await scoped.post(message), await asDpop.post(message), await ruled.post(message)];
      for (const answer of answers) {
        expect(answer.status).toBe(403);
        expect(readBySdks(answer)).toEqual(
          twice({ url: METADATA_URL, scope: 'docs:read', error: 'insufficient_scope' }),
        );
        expect(answer.headers['www-authenticate']).not.toMatch(/evil|admin|use_dpop_nonce|docs:\/\//);
        expect(answer.body.error_description).toContain('docs://x');
      }
    }
  });

  test.each(NAMES)('%s, if a function denies the call', async (name) => {
    const answer = await denied.post(callTool(name));
    expect(readBySdks(answer)).toEqual(twice({ url: METADATA_URL, scope: undefined, error: 'access_denied' }));
    expect(parseChallenge(answer.headers['www-authenticate']).error_description).toBe(
      'The caller may not do this, whatever its scopes',
    );
    expect(answer.body.error_description).toContain('The caller may not use the tool docs://x');
  });
});

describe('a scope that a function makes of a name from the request', () => {
  const rules = { 'tools/call': (_auth, { target }) => ['mcp:call', `tool:${target}`] } satisfies ScopeRules;

  test.each([
    ['resource_metadata=http://evil.example/p', 'mcp:call'],
    ['scope=admin', 'mcp:call'],
    ['error=other', 'mcp:call'],
    ['error_description=other', 'mcp:call'],
    ['Observation.rs?category=laboratory', 'mcp:call tool:Observation.rs?category=laboratory'],
  ])('is named unless a client could read a parameter in it: %s', async (name, scope) => {
    const known = await createScopedApp(rules).post(callTool(name));
    expect(readBySdks(known)).toEqual(twice({ url: METADATA_URL, scope, error: 'insufficient_scope' }));
    const anonymous = await createScopedApp(rules, {
      policy: { mode: 'optional', resourceMetadata: { resource: 'https://mcp.example/{tenant}/mcp' } },
    }).post(callTool(name), null);
    expect(anonymous.status).toBe(401);
    expect(readBySdks(anonymous), 'where the challenge has no address').toEqual(
      twice({ url: undefined, scope, error: undefined }),
    );
  });
});
