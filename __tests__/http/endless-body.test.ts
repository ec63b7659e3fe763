import { expect, onTestFinished, test } from 'vitest';
import { type Middleware, mcpAuth, mcpScopes, mcpStdioBackend, protectedResourceMetadata } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { good } from '../support/good-policy.js';
import { serveHttp2 } from '../support/http2-server.js';
import { RESOURCE } from '../support/protected-app.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';

const JSON_TYPE = 'application/json';
const issuer = createTestIssuer();
const authorization = `Bearer ${issuer.tokenFor(RESOURCE, { scopes: ['a'] })}`;

function createBackend(): Middleware {
  const backend = mcpStdioBackend({ command: NODE, args: [SCRIPTED], maxBodyBytes: 100_000 });
  onTestFinished(() => backend.close());
  return backend;
}

function createProxy(): Middleware {
  const oauthProxy = { secret: 'a secret of thirty-two characters' };
  const provider = { provider: 'keycloak', clientId: 'a', clientSecret: 'b', oauthProxy };
  return protectedResourceMetadata({ ...good, ...provider } as never);
}

const TOKEN_PATH = `/.well-known/oauth-authorization-server${new URL(RESOURCE).pathname}/token`;

const createScopes = () => mcpScopes({ 'tools/call': { '*': ['a'] } }, { maxBodyBytes: 100_000 });

test.each<[string, () => Middleware, string, string]>([
  ['mcpScopes()', createScopes, '/mcp', JSON_TYPE],
  ['mcpStdioBackend()', createBackend, '/mcp', JSON_TYPE],
  ['the OAuth proxy', createProxy, TOKEN_PATH, 'application/x-www-form-urlencoded'],
])('over HTTP/2, %s closes the stream of a body without an end, and sends its whole answer', async (...row) => {
  const [, create, path, type] = row;
  const server = await serveHttp2(['/mcp', mcpAuth(issuer.policy({ resource: RESOURCE }))], create());
  const accept = 'application/json, text/event-stream';
  const headers = { ':method': 'POST', ':path': path, 'content-type': type, accept, authorization };
  const answer = await server.flood(headers);
  expect(answer).toMatchObject({ status: 413, closed: true });
  expect(answer.bytes).toBeLessThan(5_000_000);
  expect(JSON.parse(answer.body)).toHaveProperty('error');
  expect(server.warnings).toEqual([]);
});
