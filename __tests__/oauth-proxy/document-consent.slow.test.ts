import { afterAll, describe, expect, test } from 'vitest';
import { serveClientDocument } from '../support/client-documents.js';
import { type DocumentFlow, startDocumentFlow } from '../support/document-flow.js';
import { REDIRECT_URI, rawClient, redirectOf } from '../support/oauth-proxy-client.js';
import { SECRET } from '../support/oauth-proxy-flow.js';
import { endPrograms } from '../support/program.js';
import { type Page, UserAgent } from '../support/user-agent.js';

afterAll(endPrograms);

const scope = 'mcp.read';
const HTTPS_URI = 'https://client.example/callback';
const WARNING = 'Any program on this computer can claim to be this client.';

/** The texts of a consent page that say who asks. */
function textsOf({ html }: Page) {
  const [, heading] = /<h1>(.*?)<\/h1>/.exec(html) ?? [];
  const [, introduction] = /<p>(.*?)<\/p>/.exec(html) ?? [];
  const [, client] = /<dt>Client<\/dt><dd>(.*?)<\/dd>/.exec(html) ?? [];
  return { heading, introduction, client };
}

async function allow({ base }: DocumentFlow, agent: UserAgent, { html }: Page): Promise<Page> {
  const [, request = ''] = /name="request" value="([^"]+)"/.exec(html) ?? [];
  return agent.load(new URL(`${base}/consent`), {
    method: 'POST',
    body: new URLSearchParams({ request, decision: 'allow' }),
  });
}

describe('the consent page for a document', () => {
  test('has the host of the client id in its heading, and the name that the client chose below', async () => {
    const flow = await startDocumentFlow('keycloak');
    const ours = new URL(flow.resource).host;
    const redirect_uris = [REDIRECT_URI, HTTPS_URI];
    const hostile = `mcp.example” to use nothing <img src=x>\u202e`;
    const warning = `<strong>${WARNING}</strong> `;
    const calledTest = 'The client calls itself “<bdi>Test client</bdi>”. ';
    // The program that sends the request chooses among the redirect URIs of the document.
    const rows = [
      [{ client_name: 'Claude', redirect_uris }, HTTPS_URI, 'The client calls itself “<bdi>Claude</bdi>”. '],
      [{ client_name: undefined, redirect_uris }, HTTPS_URI, ''],
      [
        { client_name: hostile, redirect_uris },
        HTTPS_URI,
        'The client calls itself “<bdi>mcp.example to use nothing &lt;img src=x&gt;</bdi>”. ',
      ],
      [{ redirect_uris }, REDIRECT_URI, calledTest + warning],
      [{ redirect_uris: [HTTPS_URI, 'cursor://a/cb'] }, 'cursor://a/cb', calledTest + warning],
      [{ redirect_uris: ['cursor://a/cb', REDIRECT_URI] }, REDIRECT_URI, calledTest + warning],
    ] as const;
    for (const [members, redirect_uri, introduction] of rows) {
      const { url } = await serveClientDocument({ logo_uri: 'https://client.example/logo.png', ...members });
      const page = await rawClient(flow.base, url).authorize({ scope, redirect_uri });
      expect(textsOf(page)).toEqual({
        heading: `Allow ${new URL(url).host} to use ${ours}?`,
        introduction: `${introduction}Allow it only if you have just started it.`,
        client: url,
      });
      expect(page.html).not.toMatch(/<img|logo\.png|\u202e/);
    }
    expect(flow.upstream.registrations, 'nothing is registered before the consent').toEqual([]);
  });

  test('is shown once for a client, its redirect URI and its scopes, also where the upstream server asks', async () => {
    const flow = await startDocumentFlow('keycloak');
    const redirect_uris = [REDIRECT_URI, HTTPS_URI];
    const { url } = await serveClientDocument({ redirect_uris });
    const other = await serveClientDocument({ redirect_uris });
    const client = rawClient(flow.base, url);
    const agent = new UserAgent();
    const page = await client.authorize({ scope }, agent);
    expect(redirectOf(await allow(flow, agent, page)).target).toContain('/protocol/openid-connect/auth');
    expect((await client.authorize({ scope }, agent)).response.status).toBe(303);
    expect(
      (await client.authorize({ scope, redirect_uri: 'http://127.0.0.1:9/callback' }, agent)).response.status,
    ).toBe(303);
    for (const [id, changes, browser] of [
      [url, { scope: 'mcp.read openid' }, agent],
      [url, { scope, redirect_uri: HTTPS_URI }, agent],
      [other.url, { scope }, agent],
      [url, { scope }, new UserAgent()],
    ] as const) {
      expect((await rawClient(flow.base, id).authorize(changes, browser)).response.status).toBe(200);
    }
  });
});

test('skipConsent: no page for these clients, and for no others; their errors go where all errors go', async () => {
  const trusted = await serveClientDocument({ redirect_uris: [HTTPS_URI] });
  const other = await serveClientDocument({ redirect_uris: [HTTPS_URI] });
  const oauthProxy = { secret: SECRET, clientDocuments: { skipConsent: [trusted.url] } };
  const flow = await startDocumentFlow('entra', { oauthProxy });
  const client = rawClient(flow.base, trusted.url);
  const login = await client.authorize({ scope, redirect_uri: HTTPS_URI });
  expect(redirectOf(login).target).toContain('/oauth2/v2.0/authorize');
  const wrong = await client.authorize({ scope, redirect_uri: HTTPS_URI, response_type: 'token' });
  expect(wrong.response.status, 'a link must not lead to another host').toBe(400);
  const asked = await rawClient(flow.base, other.url).authorize({ scope, redirect_uri: HTTPS_URI });
  expect(asked.response.status).toBe(200);
});

test('allow: the document of another host is refused without a call, and the log says how to accept it', async () => {
  const allowed = await serveClientDocument();
  const other = await serveClientDocument();
  const { host } = new URL(other.url);
  const oauthProxy = { secret: SECRET, clientDocuments: { allow: [`https://${new URL(allowed.url).host}/*`] } };
  const flow = await startDocumentFlow('entra', { oauthProxy });
  expect((await rawClient(flow.base, allowed.url).authorize({ scope })).response.status).toBe(200);
  const { response, html } = await rawClient(flow.base, other.url).authorize({ scope });
  expect(response.status).toBe(400);
  expect(html).toContain('This server does not accept this client metadata document');
  expect(other.fetches).toBe(0);
  expect(flow.log()).toContain(
    `login of the client "${host}" refused by this server: the metadata document on ${host} is not allowed; ` +
      `to accept it, add "https://${host}/*" to oauthProxy.clientDocuments.allow`,
  );
});
