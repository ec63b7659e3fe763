import { createServer } from 'node:https';
import { createPrivateKeyJwtAuth as authV2 } from '@modelcontextprotocol/client';
import { createPrivateKeyJwtAuth as authV1 } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { SERVER } from '../support/certificates.js';
import { ASSERTION_TYPE, claims } from '../support/client-assertions.js';
import {
  allowing,
  DocumentedMemory,
  type DocumentProxy,
  type ServedDocument,
  serveClientDocument,
  startDocumentProxy,
} from '../support/client-documents.js';
import { freePort, listen, originOf, stop } from '../support/loopback-server.js';
import { logIn, SDKS, type Sdk } from '../support/mcp-login.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { endPrograms } from '../support/program.js';
import { createSigner, pemOf, type Signer } from '../support/signer.js';

afterAll(endPrograms);

const AUTH = { v1: authV1, v2: authV2 } as const;

const REFUSED = { status: 401, body: { error: 'invalid_client' } };

/** The storage of a client that signs its token requests, as the SDKs do it. */
class SigningMemory extends DocumentedMemory {
  readonly addClientAuthentication;

  constructor(document: ServedDocument, sdk: Sdk, { privateKey, alg }: Signer) {
    super(document, { token_endpoint_auth_method: 'private_key_jwt' });
    const { url } = document;
    this.addClientAuthentication = AUTH[sdk]({
      issuer: url,
      subject: url,
      privateKey: pemOf(privateKey),
      alg,
    }) as never;
  }
}

/** Starts oidc-provider, and the OAuth proxy in front of it. */
async function startProxy(): Promise<DocumentProxy> {
  const port = await freePort();
  const issuer = await startOidcServer(() => `http://127.0.0.1:${port}/mcp`);
  const resourceMetadata = { scopesSupported: ['mcp.read'] };
  return startDocumentProxy({ issuer, provider: { standard: {} }, resourceMetadata }, port);
}

/** Serves a document of a client with this key: as ChatGPT publishes it, or with the keys in it. */
async function serveDocument(signer: Signer, where: 'jwks' | 'jwks_uri'): Promise<ServedDocument> {
  const jwks = { keys: [signer.jwk] };
  return serveClientDocument({
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    ...(where === 'jwks' ? { jwks } : { jwks_uri: await serveJson(jwks) }),
  });
}

async function serveJson(body: object): Promise<string> {
  const server = createServer(SERVER, (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await listen(server);
  onTestFinished(() => stop(server));
  return `${originOf(server).replace('http:', 'https:')}/jwks.json`;
}

describe.each(SDKS)('a client of SDK %s that signs', (sdk) => {
  test.each([
    ['jwks', 'RS256'],
    ['jwks_uri', 'ES256'],
  ] as const)('logs in with its key in %s (%s), calls a tool, and refreshes', async (where, alg) => {
    const { resource } = await startProxy();
    const signer = createSigner({ alg });
    const document = await serveDocument(signer, where);
    const memory = new SigningMemory(document, sdk, signer);
    const client = await logIn(sdk, resource, allowing(atOidcServer).fillIn, { memory });
    onTestFinished(() => client.close());
    expect(memory.registered).toMatchObject({ client_id: document.url });
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
    const { access_token: before } = memory.savedTokens ?? {};
    memory.spoilAccessToken();
    expect(await client.callTool('whoami')).toMatchObject({ content: [{ type: 'text' }] });
    expect(memory.savedTokens?.access_token).not.toBe(before);
  });

  test('gets no token with another key, and the log says why', async () => {
    const { resource, program } = await startProxy();
    const document = await serveDocument(createSigner({ alg: 'RS256' }), 'jwks');
    const memory = new SigningMemory(document, sdk, createSigner({ alg: 'RS256' }));
    const why = 'no key that the client publishes verifies its signature';
    await expect(logIn(sdk, resource, allowing(atOidcServer).fillIn, { memory })).rejects.toThrow(why);
    expect(program.stdout + program.stderr).toContain(`${why}; tell the publisher of the client`);
  });

  test('gets no token without a signature', async () => {
    const { resource } = await startProxy();
    const document = await serveDocument(createSigner({ alg: 'RS256' }), 'jwks');
    await expect(
      logIn(sdk, resource, allowing(atOidcServer).fillIn, { memory: new DocumentedMemory(document) }),
    ).rejects.toThrow('This client must authenticate with private_key_jwt: client_assertion');
  });
});

test('the metadata says that clients may sign, or be public, at both endpoints', async () => {
  const { base } = await startProxy();
  const metadata = (await (await fetch(base)).json()) as Record<string, unknown>;
  for (const endpoint of ['token', 'revocation']) {
    expect(metadata[`${endpoint}_endpoint_auth_methods_supported`]).toEqual(
      expect.arrayContaining(['none', 'private_key_jwt']),
    );
    expect(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`]).toEqual(
      expect.arrayContaining(['RS256', 'PS256', 'ES256', 'EdDSA']),
    );
  }
  expect(metadata.client_id_metadata_document_supported).toBe(true);
});

test('a client refreshes and revokes with assertions alone, each of them once', async () => {
  const { resource, base } = await startProxy();
  const signer = createSigner({ alg: 'RS256' });
  const document = await serveDocument(signer, 'jwks_uri');
  const memory = new SigningMemory(document, 'v2', signer);
  const client = await logIn('v2', resource, allowing(atOidcServer).fillIn, { memory });
  await client.close();
  const { url } = document;
  // As ChatGPT signs, for the token endpoint.
  const sign = (aud: string) => signer.sign(claims({ iss: url, sub: url, aud }));
  const post = async (endpoint: string, form: Record<string, string>) => {
    const body = new URLSearchParams({ client_assertion_type: ASSERTION_TYPE, ...form });
    const response = await fetch(`${base}/${endpoint}`, { method: 'POST', body });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const refresh = (token = '', assertion = sign(`${base}/token`)) =>
    post('token', { grant_type: 'refresh_token', refresh_token: token, client_assertion: assertion });

  const assertion = sign(`${base}/token`);
  const refreshed = await refresh(memory.savedTokens?.refresh_token, assertion);
  expect(refreshed).toMatchObject({ status: 200, body: { refresh_token: expect.any(String) } });
  const { refresh_token: token = '' } = refreshed.body;
  expect(await refresh(token, assertion)).toEqual({
    status: 401,
    body: { error: 'invalid_client', error_description: 'client_assertion is refused: it has been used before' },
  });
  expect(await refresh(token, sign('https://other.example'))).toMatchObject(REFUSED);
  const wrong = await post('revocation', { token, client_assertion: sign('https://other.example') });
  expect(wrong).toMatchObject(REFUSED);
  expect(await post('revocation', { token, client_assertion: sign(resource) })).toEqual({ status: 200, body: {} });
  expect(await refresh(token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});
