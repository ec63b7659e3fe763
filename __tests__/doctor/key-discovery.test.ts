import { describe, expect, test } from 'vitest';
import { checkScopes } from '../../src/doctor/resource-documents.js';
import { goodToken, lineOf, startFaultyServer } from '../support/faulty-server.js';

const BY_NAME = () => ({ jwks: undefined });

test('keys that the metadata names are found as mcpAuth() finds them, and a token is explained with them', async () => {
  const server = await startFaultyServer({ policy: BY_NAME });
  const lines = (await server.walk(goodToken(server), 'file')).map(lineOf);
  expect(lines).toContain(`✓ key set: ${server.issuer}/jwks: 1 of 1 keys can be used`);
  expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
});

test('keys that are not found are named with the reason of mcpAuth()', async () => {
  const server = await startFaultyServer({ policy: BY_NAME, metadata: () => ({ jwks_uri: undefined }) });
  const lines = (await server.walk(undefined, 'file')).map(lineOf);
  expect(lines).toContain(
    `! key set: the keys of ${server.issuer} are not found: GET ${server.issuer}/.well-known/oauth-authorization-server failed: it has no "jwks_uri". Tokens cannot be verified. Correct the metadata of the issuer, or set jwks: { url: … } to the address of its keys.`,
  );
});

test('the document is read at resourceMetadata.url', async () => {
  const server = await startFaultyServer({
    policy: ({ resource }) => ({
      resourceMetadata: { resource, url: `${new URL(resource).origin}/about.json`, scopesSupported: ['mcp:call'] },
    }),
  });
  const { origin } = new URL(server.url);
  const lines = (await server.walk(goodToken(server))).map(lineOf);
  expect(lines).toContain(`✓ challenge: Bearer, resource_metadata ${origin}/about.json`);
  expect(lines).toContain(`✓ resource metadata: ${origin}/about.json`);
  expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
});

test('a policy for each tenant: a token is explained for the tenant of the URL', async () => {
  const server = await startFaultyServer({
    policy: ({ resource }) => ({
      resourceMetadata: { resource: resource.replace(/mcp$/, '{tenant}'), scopesSupported: ['mcp:call'] },
    }),
  });
  const lines = (await server.walk(goodToken(server), 'file')).map(lineOf);
  expect(lines).toContain(`✓ token aud: ${server.url}`);
  expect(lines.filter((line) => line.startsWith('✗'))).toEqual([]);
});

describe('the scopes of the first challenge', () => {
  const advertised = { scopes_supported: ['read'] };
  test.each<[string, readonly string[], string, boolean]>([
    ['Clerk, in development', [], 'https://neat-cat-1.clerk.accounts.dev', true],
    ['Clerk, in production', [], 'https://clerk.example.com', true],
    ['Clerk, with challengeScopes', ['read'], 'https://clerk.example.com', false],
    ['another server', [], 'https://auth.example.com', false],
    ['another server with a similar name', [], 'https://clerkship.example.com', false],
  ])('%s', (_name, needed, issuer, isWarned) => {
    const finding = checkScopes(needed, advertised, { issuer, scopes_supported: ['read', 'profile'] });
    expect(finding.status).toBe(isWarned ? 'warning' : 'ok');
    if (isWarned) expect(finding.fix).toBe("Set challengeScopes to 'supported', or to a list of scopes.");
  });
});
