import { afterAll, describe, test } from 'vitest';
import { expectDocumentLogin, startDocumentProxy } from '../support/client-documents.js';
import { freePort } from '../support/loopback-server.js';
import { SDKS } from '../support/mcp-login.js';
import { postJson } from '../support/oauth-proxy-client.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { endPrograms } from '../support/program.js';

afterAll(endPrograms);

const RESOURCE_METADATA = { scopesSupported: ['mcp.read'] };

/** Starts oidc-provider, and a port for the server in front of it. */
async function startIssuer() {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const issuer = await startOidcServer(() => `${origin}/mcp`);
  return { port, origin, issuer, policy: { issuer, provider: { standard: {} }, resourceMetadata: RESOURCE_METADATA } };
}

describe.each(SDKS)('SDK %s logs in by its document at oidc-provider, calls a tool, and refreshes', (sdk) => {
  test('with a client that is registered there for the document', async () => {
    const { port, policy } = await startIssuer();
    await expectDocumentLogin(sdk, await startDocumentProxy(policy, port), atOidcServer);
  });

  test('with one client for all', async () => {
    const { port, origin, issuer, policy } = await startIssuer();
    const { body } = await postJson(`${issuer}/reg`, {
      redirect_uris: [`${origin}/.well-known/oauth-authorization-server/mcp/callback`],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      application_type: 'native',
    });
    const proxy = await startDocumentProxy({ ...policy, clientId: body.client_id }, port);
    await expectDocumentLogin(sdk, proxy, atOidcServer);
  });
});
