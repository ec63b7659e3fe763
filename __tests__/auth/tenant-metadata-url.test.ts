import { expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { good } from '../support/good-policy.js';
import { createProtectedApp, parseChallenge } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const ORIGIN = 'https://mcp.example';
const TEMPLATE = `${ORIGIN}/{tenant}/mcp`;
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

test.each([
  ['/docs/{tenant}', ['/docs/acme']],
  [`/tools${WELL_KNOWN}/{tenant}/x`, [`/tools${WELL_KNOWN}/acme/x`, `${WELL_KNOWN}/acme/x`]],
])('the document of a tenant is at resourceMetadata.url %s', async (path, served) => {
  const resourceMetadata = { resource: TEMPLATE, url: ORIGIN + path };
  const { get } = createProtectedApp({ resourceMetadata }, createSigner());
  const { headers } = await get(undefined, '/acme/mcp');
  expect(parseChallenge(headers['www-authenticate']).resource_metadata).toBe(`${ORIGIN}${served[0]}`);
  for (const each of [...served, `${WELL_KNOWN}/acme/mcp`]) {
    const { status, body } = await get(undefined, each);
    expect([status, body.resource]).toEqual([200, `${ORIGIN}/acme/mcp`]);
    expect((await get(undefined, `${each}/y`)).status).toBe(401);
  }
});

test.each([
  [TEMPLATE, '/docs', 'a URL with {tenant} once where the resource has it'],
  [TEMPLATE, '/{tenant}/{tenant}', 'a URL with {tenant} once where the resource has it'],
  [`${ORIGIN}/acme/mcp`, '/docs/{tenant}', 'without {tenant} where the resource has none'],
])('the resource %s refuses resourceMetadata.url %s', (resource, path, expected) => {
  const resourceMetadata = { resource, url: ORIGIN + path };
  expect(() => mcpAuth({ ...good, resourceMetadata } as McpAuthOptions)).toThrow(
    `mcpAuth(): option "resourceMetadata.url" must be ${expected}, but got "${ORIGIN}${path}".`,
  );
});
