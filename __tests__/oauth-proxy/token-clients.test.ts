import { describe, expect, test } from 'vitest';
import { fingerprint } from '../../src/oauth-proxy/fingerprint.js';
import { postJson, REDIRECT_URI, rawClient, withCode } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow, tokenRequests, unseal } from '../support/oauth-proxy-flow.js';

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

describe('clients', () => {
  test.each<[string, (id: string) => string | undefined]>([
    ['none', () => undefined],
    ['the one of the upstream server', () => 'app-id'],
    ['an altered one', (id) => `${id}A`],
  ])('%s is refused with 401, so that it registers again', async (_name, idOf) => {
    const { client, code } = await withCode('entra');
    const answer = await client.token({ code, client_id: idOf(client.id) });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('the shared secret is not sent for a foreign client id', async () => {
    const { flow, code } = await withCode('entra');
    const { seal } = flow;
    const foreign = seal.close('client', {
      upstreamId: 'foreign',
      redirectUris: [REDIRECT_URI],
      name: undefined,
      scopes: undefined,
    });
    const client = rawClient(flow.base, foreign);
    const opened = unseal(flow, 'code', code);
    await client.token({ code: seal.close('code', { ...opened, client: fingerprint(foreign) }) });
    expect(tokenRequests(flow)).toMatchObject([{ client_id: 'foreign' }]);
    expect(JSON.stringify(flow.upstream.requests)).not.toContain('secret of the app');
  });

  test('one that sends a secret, although all share one client, is refused here', async () => {
    const { flow, client, code } = await withCode('entra');
    for (const answer of [
      await client.token({ code, client_secret: 'guessed' }),
      await client.token({ code, client_id: undefined }, basic(client.id, 'guessed')),
    ]) {
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    }
    expect(tokenRequests(flow)).toEqual([]);
    expect(await client.token({ code })).toMatchObject({ status: 200 });
  });

  test('one that sends a Basic header with an empty secret sends none, as the MCP Go SDK does at first', async () => {
    const { client, code } = await withCode('entra');
    expect(await client.token({ code, client_id: undefined }, basic(client.id, ''))).toMatchObject({ status: 200 });
  });

  test.each(['client_secret_basic', 'client_secret_post'])('%s reaches the upstream server', async (method) => {
    const flow = await startOAuthProxyFlow('auth0');
    const metadata = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: method };
    const { body } = await postJson(`${flow.base}/client-registration`, metadata);
    const { client_id: id, client_secret: secret } = body as { client_id: string; client_secret: string };
    const client = rawClient(flow.base, id);
    const code = (await client.logIn()).get('code') ?? '';
    const answer =
      method === 'client_secret_basic'
        ? await client.token({ code, client_id: undefined }, basic(id, secret))
        : await client.token({ code, client_secret: secret });
    expect(answer.status).toBe(200);
    const [asked] = tokenRequests(flow);
    expect(asked?.authorization === undefined).toBe(method === 'client_secret_post');
  });

  test('in two ways at once are refused', async () => {
    const { client, code } = await withCode('auth0');
    for (const changes of [{ client_secret: 's' }, { client_id: 'other' }]) {
      expect(await client.token({ code, ...changes }, basic(client.id, 's'))).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      });
    }
    for (const authorization of ['Basic', 'Basic %%%', 'Bearer abc', 'Basic bm9jb2xvbg==']) {
      const answer = await client.token({ code }, { authorization });
      expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="OAuth"');
    }
  });
});

describe('a body that is not a form', () => {
  test.each<[string, RequestInit, number]>([
    ['JSON', { headers: { 'content-type': 'application/json' }, body: '{}' }, 415],
    ['a parameter twice', { body: new URLSearchParams('grant_type=refresh_token&grant_type=authorization_code') }, 400],
    ['too much', { body: new URLSearchParams({ code: 'a'.repeat(70_000) }) }, 413],
    ['nothing', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 401],
  ])('%s', async (_name, init, status) => {
    const flow = await startOAuthProxyFlow('entra');
    const response = await fetch(`${flow.base}/token`, { method: 'POST', ...init });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.stringMatching(/^invalid_(request|client)$/) });
  });
});
