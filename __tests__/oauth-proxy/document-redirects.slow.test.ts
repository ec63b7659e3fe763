import { afterAll, describe, expect, test } from 'vitest';
import { serveClientDocument } from '../support/client-documents.js';
import { type DocumentFlow, startDocumentFlow } from '../support/document-flow.js';
import { rawClient } from '../support/oauth-proxy-client.js';
import { endPrograms } from '../support/program.js';
import type { Page } from '../support/user-agent.js';

afterAll(endPrograms);

const OURS = 'https://client.example/callback';
const LOOPBACK = 'http://127.0.0.1:33418/callback';

/** No byte of the request may decide where the browser goes. */
function expectPage({ response, html }: Page, what: string): void {
  expect(response.status, what).toBe(400);
  expect(response.headers.get('location'), what).toBeNull();
  expect(html, what).toContain('This login cannot continue');
}

describe('with the client id of a document', () => {
  const REDIRECT_URIS: readonly [what: string, uri: string | undefined][] = [
    ['none', undefined],
    ['one of another host', 'https://evil.example/callback'],
    ['one of another document', 'https://other.example/callback'],
    ['a longer path', `${OURS}/more`],
    ['a closing slash', `${OURS}/`],
    ['another case of the path', 'https://client.example/Callback'],
    ['another case of the host', 'https://CLIENT.example/callback'],
    ['a dot after the host', 'https://client.example./callback'],
    ['the default port', 'https://client.example:443/callback'],
    ['another port', 'https://client.example:8443/callback'],
    ['another scheme', 'http://client.example/callback'],
    ['a user name', 'https://client.example@evil.example/callback'],
    ['a query', `${OURS}?a=b`],
    ['a fragment', `${OURS}#a`],
    ['dot segments', 'https://client.example/x/../callback'],
    ['an encoded path', 'https://client.example/%63allback'],
    ['a subdomain', 'https://a.client.example/callback'],
    ['a backslash', 'https://client.example\\@evil.example/callback'],
    ['loopback by another name', 'http://localhost:33418/callback'],
    ['another path on loopback', 'http://127.0.0.1:33418/other'],
    ['https on loopback', 'https://127.0.0.1:33418/callback'],
    ['a port that is none', 'http://127.0.0.1:99999/callback'],
    ['JavaScript', 'javascript:alert(1)'],
    ['the document itself', '{url}'],
    ['our own callback', '{base}/callback'],
  ];

  test('a redirect URI that is not in it is never used', async () => {
    const flow = await startDocumentFlow('entra');
    const { url } = await serveClientDocument({ redirect_uris: [OURS, LOOPBACK] });
    await serveClientDocument({ redirect_uris: ['https://other.example/callback'] });
    const client = rawClient(flow.base, url);
    for (const [what, uri] of REDIRECT_URIS) {
      const redirect_uri = uri?.replace('{url}', url).replace('{base}', flow.base);
      const page = await client.authorize({ redirect_uri });
      expectPage(page, what);
      expect(page.html, what).toContain('The client metadata document does not name this redirect URI');
    }
    for (const redirect_uri of [OURS, LOOPBACK, 'http://127.0.0.1:1/callback']) {
      expect((await client.authorize({ redirect_uri })).response.status, redirect_uri).toBe(200);
    }
  });
});

/**
 * Other spellings of a client id `https://127.0.0.1:{port}/client.json`. Each would be another client with the same host. The last two are
 * fetched, twice each: more would exceed the limit of one caller.
 */
const SPELLINGS: readonly [what: string, id: string][] = [
  ['http', 'http://127.0.0.1:{port}/client.json'],
  ['another case of the scheme', 'HTTPS://127.0.0.1:{port}/client.json'],
  ['a name in place of the address', 'https://LOCALHOST:{port}/client.json'],
  ['a shorter form of the address', 'https://127.1:{port}/client.json'],
  ['a number', 'https://2130706433:{port}/client.json'],
  ['octal digits', 'https://0177.0.0.1:{port}/client.json'],
  ['a dot after the host', 'https://127.0.0.1.:{port}/client.json'],
  ['zeros before the port', 'https://127.0.0.1:0{port}/client.json'],
  ['port 80', 'https://127.0.0.1:80/client.json'],
  ['a user name', 'https://a@127.0.0.1:{port}/client.json'],
  ['a fragment', 'https://127.0.0.1:{port}/client.json#a'],
  ['an empty fragment', 'https://127.0.0.1:{port}/client.json#'],
  ['a dot segment', 'https://127.0.0.1:{port}/./client.json'],
  ['two dots', 'https://127.0.0.1:{port}/a/../client.json'],
  ['encoded dots', 'https://127.0.0.1:{port}/%2e/client.json'],
  ['a backslash', 'https://127.0.0.1:{port}\\client.json'],
  ['no path', 'https://127.0.0.1:{port}'],
  ['the root', 'https://127.0.0.1:{port}/'],
  ['blanks around it', ' https://127.0.0.1:{port}/client.json '],
  ['a line break', 'https://127.0.0.1:{port}/client.json\n'],
  ['another case of the path', 'https://127.0.0.1:{port}/Client.json'],
  ['a query', 'https://127.0.0.1:{port}/client.json?a=b'],
];

describe('a client id that differs from the URL of its document', () => {
  test('is refused at every endpoint, and cannot use what the client carries', async () => {
    const flow: DocumentFlow = await startDocumentFlow('entra');
    const document = await serveClientDocument();
    const client = rawClient(flow.base, document.url);
    const code = (await client.logIn({ scope: 'mcp.read offline_access' })).get('code') ?? '';
    const { port } = new URL(document.url);
    for (const [what, spelling] of SPELLINGS) {
      const other = rawClient(flow.base, spelling.replace('{port}', port));
      expectPage(await other.authorize(), what);
      expect(await other.token({ code }), what).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    }
    expect(document.fetches).toBe(1);
    expect(await client.token({ code })).toMatchObject({ status: 200 });
  });
});
