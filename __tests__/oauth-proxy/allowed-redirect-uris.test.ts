import { describe, expect, test } from 'vitest';
import { postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow, unseal } from '../support/oauth-proxy-flow.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const allowedRedirectUris = ['https://client.example/*', 'https://other.example/cb', 'http://127.0.0.1/callback'];

const start = () => startOAuthProxyFlow('entra', 'entra', { oauthProxy: { secret: SECRET, allowedRedirectUris } });

/** A client that registered before there was a list. */
function registeredBefore({ base, seal }: OAuthProxyFlow, redirectUris: readonly string[]) {
  const client = { upstreamId: 'app-id', redirectUris, name: 'Old', scopes: undefined };
  return rawClient(base, seal.close('client', client));
}

describe.each([
  ['https://client.example/callback', true],
  ['https://client.example/', true],
  ['https://other.example/cb', true],
  [REDIRECT_URI, true],
  ['https://client.example.evil.example/callback', false],
  ['https://client.example@evil.example/callback', false],
  ['https://client.example:8443/callback', false],
  ['https://sub.client.example/callback', false],
  ['https://other.example/cb/more', false],
  ['http://127.0.0.1/other', false],
  ['cursor://client/callback', false],
])('%s: %s', (uri, allowed) => {
  test('at registration', async () => {
    const { base } = await start();
    const { status, body } = await postJson(`${base}/client-registration`, { redirect_uris: [uri] });
    expect(status).toBe(allowed ? 201 : 400);
    if (!allowed) expect(body).toMatchObject({ error: 'invalid_redirect_uri' });
  });

  test('at the login of a client that registered before', async () => {
    const client = registeredBefore(await start(), [uri]);
    const { response } = await client.authorize({ redirect_uri: uri });
    expect(response.status).toBe(allowed ? 200 : 400);
    expect(response.headers.get('location')).toBeNull();
  });
});

/** Registered by Cursor: for the desktop, for its agents in the cloud, and for loopback. */
const CURSOR = [
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'https://www.cursor.com/agents/mcp/oauth/callback',
  'http://localhost:8787/callback',
];
const [DESKTOP = '', CLOUD = '', LOOPBACK = ''] = CURSOR;

const ADD = 'to allow one, add it to oauthProxy.allowedRedirectUris';

describe('of several redirect URIs, those that are allowed are registered, and the log names the others', () => {
  test.each<[string, string[], string[], string[]]>([
    ['all', [DESKTOP, 'https://www.cursor.com/*', LOOPBACK], CURSOR, []],
    ['the private-use scheme', [DESKTOP], [DESKTOP], [CLOUD, LOOPBACK]],
    ['the web page', ['https://www.cursor.com/*'], [CLOUD], [DESKTOP, LOOPBACK]],
    ['loopback, with another port', ['http://localhost/callback'], [LOOPBACK], [DESKTOP, CLOUD]],
    ['two', [LOOPBACK, DESKTOP], [DESKTOP, LOOPBACK], [CLOUD]],
  ])('%s', async (_case, allowed, kept, dropped) => {
    const { lines, logger } = createRecordingLogger();
    const oauthProxy = { secret: SECRET, allowedRedirectUris: allowed };
    const flow = await startOAuthProxyFlow('entra', 'entra', { oauthProxy, logger });
    const metadata = { client_name: 'Cursor', redirect_uris: CURSOR };
    const { status, body } = await postJson(`${flow.base}/client-registration`, metadata);
    expect([status, body.redirect_uris]).toEqual([201, kept]);
    expect(unseal(flow, 'client', body.client_id as string).redirectUris).toEqual(kept);
    const named = `info OAuth proxy: registration of the client "Cursor" without ${dropped.join(', ')}: ${ADD}`;
    expect(lines).toEqual(dropped.length === 0 ? [] : [named]);
    const client = rawClient(flow.base, body.client_id as string);
    for (const uri of CURSOR) {
      expect((await client.authorize({ redirect_uri: uri })).response.status).toBe(kept.includes(uri) ? 200 : 400);
    }
  });

  test('none is allowed: the answer and the log name them', async () => {
    const { lines, logger } = createRecordingLogger();
    const { base } = await startOAuthProxyFlow('entra', 'entra', {
      oauthProxy: { secret: SECRET, allowedRedirectUris },
      logger,
    });
    const metadata = { client_name: 'Cursor', redirect_uris: CURSOR };
    const { status, body } = await postJson(`${base}/client-registration`, metadata);
    const reason = `This server allows none of the redirect_uris ${CURSOR.join(', ')}`;
    expect([status, body]).toEqual([400, { error: 'invalid_redirect_uri', error_description: reason }]);
    expect(lines).toEqual([
      `warn OAuth proxy: registration of the client "Cursor" refused by this server: ${reason}; to let this client log in, ` +
        'add its redirect URI to oauthProxy.allowedRedirectUris, or correct it in the client',
    ]);
  });

  test('one that no client may have refuses the registration even if another is allowed, and is named', async () => {
    const { base } = await start();
    const redirect_uris = [REDIRECT_URI, 'file:///etc/passwd', 7];
    const { status, body } = await postJson(`${base}/client-registration`, { redirect_uris });
    expect([status, body.error_description]).toEqual([
      400,
      'redirect_uris must be 1 to 10 URIs: https, http on loopback, or a private-use scheme, without fragment. ' +
        'Not accepted: file:///etc/passwd, a number',
    ]);
  });

  test('the list is shortened: the log names the redirect URI of the next login, and the error page does not', async () => {
    const { lines, logger } = createRecordingLogger();
    const oauthProxy = { secret: SECRET, allowedRedirectUris };
    const flow = await startOAuthProxyFlow('entra', 'entra', { oauthProxy, logger });
    const { response, html } = await registeredBefore(flow, CURSOR).authorize({ redirect_uri: CLOUD });
    expect(response.status).toBe(400);
    expect(html).not.toContain('cursor.com');
    expect(lines).toEqual([
      'warn OAuth proxy: login of the client "Old" refused by this server: This server does not allow this redirect URI: ' +
        `"${CLOUD}"; to let this client log in, add its redirect URI to oauthProxy.allowedRedirectUris, or correct it in the client`,
    ]);
  });

  test('the log has at most 30 such lines a minute', async () => {
    const { lines, logger } = createRecordingLogger();
    const oauthProxy = { secret: SECRET, allowedRedirectUris: [DESKTOP] };
    const { base } = await startOAuthProxyFlow('entra', 'entra', { oauthProxy, logger });
    for (let count = 0; count < 40; count++) {
      await postJson(`${base}/client-registration`, { redirect_uris: CURSOR });
    }
    expect(lines).toHaveLength(31);
    expect(lines.at(-1)).toBe('info OAuth proxy: further redirect URIs in this minute are not logged');
  });
});
