import { afterAll, describe, expect, test } from 'vitest';
import { serveClientDocument } from '../support/client-documents.js';
import { type DocumentFlow, startDocumentFlow } from '../support/document-flow.js';
import { postForm, rawClient } from '../support/oauth-proxy-client.js';
import { asAlice } from '../support/oauth-proxy-flow.js';
import { endPrograms } from '../support/program.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { createSigner } from '../support/signer.js';
import { UserAgent } from '../support/user-agent.js';

afterAll(endPrograms);

const scope = 'mcp.read offline_access';
const refreshWith = (body: Record<string, unknown>) => ({
  grant_type: 'refresh_token',
  refresh_token: body.refresh_token as string,
});

/** The client ids of the token requests and revocations that the upstream server received. */
function upstreamIds({ upstream }: DocumentFlow): readonly string[] {
  const sent = upstream.requests.filter(({ path }) => /\/(?:token|revoke)$/.test(path));
  return [...new Set(sent.map(({ form }) => form.get('client_id') ?? ''))];
}

describe('a client with a metadata document', () => {
  test.each(['keycloak', 'entra'] as const)('logs in, refreshes and revokes at %s, at two replicas', async (name) => {
    const { client: shared, kind } = PROVIDER_BEHAVIOURS[name];
    const flow = await startDocumentFlow(name, {}, { replicas: 2 });
    const { url } = await serveClientDocument({
      client_name: 'Documented',
      logo_uri: 'https://client.example/logo.png',
      tos_uri: 'https://client.example/terms',
      policy_uri: 'javascript:alert(1)',
    });
    const client = rawClient(flow.base, url);
    const { body, status } = await client.token({ code: (await client.logIn({ scope })).get('code') ?? '' });
    expect(status).toBe(200);
    const refreshed = await client.token(refreshWith(body));
    expect(refreshed.status).toBe(200);
    const token = refreshed.body.refresh_token as string;
    const revoked = await postForm(`${flow.base}/revocation`, { client_id: url, token });
    expect(revoked.status).toBe(kind.paths.revocation === undefined ? 404 : 200);
    if (shared !== undefined) {
      expect(upstreamIds(flow)).toEqual([shared.id]);
      return;
    }
    expect(upstreamIds(flow)).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(flow.upstream.registrations).toEqual([
      {
        client_name: 'Documented',
        tos_uri: 'https://client.example/terms',
        redirect_uris: [`${flow.base}/callback`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        application_type: 'native',
        token_endpoint_auth_method: 'none',
      },
    ]);
    const accessToken = { client_id: url, token: refreshed.body.access_token as string };
    expect(await postForm(`${flow.base}/revocation`, accessToken)).toMatchObject({
      status: 400,
      body: { error: 'unsupported_token_type' },
    });
  });

  test('goes on after a restart between any two steps', async () => {
    const flow = await startDocumentFlow('keycloak');
    const { url } = await serveClientDocument();
    const client = rawClient(flow.base, url);
    const agent = new UserAgent();
    const isCallback = ({ pathname }: URL) => pathname.endsWith('/callback') && !pathname.startsWith('/callback');
    const atCallback = await agent.visit(client.authorizationUrl({ scope }), asAlice, isCallback);
    await flow.restart();
    const { response } = await agent.load(atCallback as URL);
    await flow.restart();
    const code = new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const { body } = await client.token({ code });
    await flow.restart();
    const refreshed = await client.token(refreshWith(body));
    expect(refreshed.status).toBe(200);
    await flow.restart();
    const form = { client_id: url, token: refreshed.body.refresh_token as string };
    expect(await postForm(`${flow.base}/revocation`, form)).toMatchObject({ status: 200 });
    expect(flow.upstream.registrations).toHaveLength(1);
  });

  test('has one registration at the upstream server, and another one once its document has changed', async () => {
    const flow = await startDocumentFlow('keycloak', {}, { replicas: 1 });
    const document = await serveClientDocument({}, { 'cache-control': 'max-age=0' });
    const client = rawClient(flow.base, document.url);
    await Promise.all([1, 2, 3].map(() => client.logIn({ scope })));
    await client.logIn({ scope });
    expect(flow.upstream.registrations).toHaveLength(1);
    document.members.client_name = 'Another name';
    await flow.restart();
    await client.logIn({ scope });
    expect(flow.upstream.registrations.map(({ client_name: name }) => name)).toEqual(['Test client', 'Another name']);
  });

  test.each([
    [undefined, 'mcp.read offline_access'],
    ['openid mcp.read', 'mcp.read'],
  ])('with the scope %j in its document, asks for %j at a login without scope', async (named, asked) => {
    const flow = await startDocumentFlow('auth0', {}, { replicas: 1 });
    const document = await serveClientDocument({ scope: named });
    await rawClient(flow.base, document.url).logIn();
    const login = flow.upstream.requests.findLast(({ form }) => form.get('response_type') === 'code');
    expect(login?.form.get('scope')).toBe(asked);
  });
});

describe('a document that changes during a login', () => {
  test('without its redirect URI any more, ends the login before anything is sent there', async () => {
    const flow = await startDocumentFlow('entra');
    const document = await serveClientDocument();
    const client = rawClient(flow.base, document.url);
    const agent = new UserAgent();
    const { html } = await client.authorize({ scope }, agent);
    const [, request = ''] = /name="request" value="([^"]+)"/.exec(html) ?? [];
    document.members.redirect_uris = ['https://elsewhere.example/callback'];
    await flow.restart();
    const { response } = await agent.load(new URL(`${flow.base}/consent`), {
      method: 'POST',
      body: new URLSearchParams({ request, decision: 'allow' }),
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
  });

  test('and has keys now, is believed: the code alone is not enough', async () => {
    const flow = await startDocumentFlow('entra');
    const document = await serveClientDocument();
    const client = rawClient(flow.base, document.url);
    const code = (await client.logIn({ scope })).get('code') ?? '';
    document.members.token_endpoint_auth_method = 'private_key_jwt';
    document.members.jwks = { keys: [createSigner({ alg: 'ES256' }).jwk] };
    await flow.restart();
    expect(await client.token({ code })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

describe('a document that cannot be fetched', () => {
  test('is an outage and no refusal: a refresh token stays good', async () => {
    const flow = await startDocumentFlow('entra');
    const document = await serveClientDocument();
    const client = rawClient(flow.base, document.url);
    const { body } = await client.token({ code: (await client.logIn({ scope })).get('code') ?? '' });
    await document.close();
    expect(await client.token(refreshWith(body)), 'while it is remembered').toMatchObject({ status: 200 });
    await flow.restart();
    const again = await client.token(refreshWith(body));
    expect(again).toMatchObject({ status: 503, body: { error: 'server_error' } });
    expect(again.headers.get('retry-after')).toMatch(/^\d+$/);
    const { response, html } = await client.authorize();
    expect(response.status).toBe(503);
    expect(html).toContain('The metadata document of the client cannot be fetched at the moment');
    expect(flow.log()).toMatch(/OAuth proxy: The metadata document .* at the moment: 127\.0\.0\.1:\d+: ECONNREFUSED/);
  });

  test('because it is not there is a refusal, and the log says whose and what to change', async () => {
    const flow = await startDocumentFlow('entra');
    const { url } = await serveClientDocument();
    const client = rawClient(flow.base, url.replace('client.json', 'other.json'));
    const { response, html } = await client.authorize();
    expect(response.status).toBe(400);
    expect(html).toContain('The client metadata document must be served with status 200, without a redirect');
    expect(await client.token({ code: 'c' })).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const { host } = new URL(url);
    expect(flow.log()).toContain(
      `OAuth proxy: login of the client "${host}" refused by this server: The client metadata document must be served with ` +
        `status 200, without a redirect (${host}: it answered with status 404); tell the publisher of the document, or set ` +
        'oauthProxy.clientDocuments.enabled to false so that clients register',
    );
  });
});

test('what one client carries is refused to another', async () => {
  const flow = await startDocumentFlow('entra');
  const [one, other] = [await serveClientDocument(), await serveClientDocument()];
  const [client, thief] = [rawClient(flow.base, one.url), rawClient(flow.base, other.url)];
  const code = (await client.logIn({ scope })).get('code') ?? '';
  const refused = { status: 400, body: { error: 'invalid_grant' } };
  expect(await thief.token({ code })).toMatchObject(refused);
  const { body } = await client.token({ code });
  expect(await client.token({ code }), 'a code is good once').toMatchObject(refused);
  expect(await thief.token(refreshWith(body))).toMatchObject(refused);
  expect(await client.token(refreshWith(body))).toMatchObject({ status: 200 });
  for (const [what, given] of Object.entries({
    secret: { client_secret: 'guessed' },
    assertion: { client_assertion: 'a.b.c' },
  })) {
    const answer = await client.token({ code, ...given });
    expect(answer, what).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  }
  const basic = { authorization: `Basic ${Buffer.from(`${encodeURIComponent(one.url)}:guessed`).toString('base64')}` };
  expect(await client.token({ code, client_id: undefined }, basic)).toMatchObject({ status: 401 });
});
