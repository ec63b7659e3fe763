import { describe, expect, test } from 'vitest';
import { postForm, registerClient, withCode } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

describe('revocation', () => {
  test('of a refresh token reaches the upstream server, with its own token', async () => {
    const { flow, client, code } = await withCode('keycloak');
    const { refresh_token: token } = (await client.token({ code })).body as { refresh_token: string };
    const form = { client_id: client.id, token, token_type_hint: 'refresh_token' };
    expect(await postForm(`${flow.base}/revocation`, form)).toMatchObject({ status: 200, body: {} });
    const { path, form: asked } = flow.upstream.requests.at(-1) ?? {};
    expect(path).toBe('/realms/mcp/protocol/openid-connect/revoke');
    expect(Object.fromEntries(asked ?? [])).toEqual({
      token: expect.stringMatching(/^[0-9a-f-]{36}$/),
      token_type_hint: 'refresh_token',
      client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("of another client's token does nothing, and does not say so", async () => {
    const { flow, client, code } = await withCode('keycloak');
    const { refresh_token: token } = (await client.token({ code })).body as { refresh_token: string };
    const other = await registerClient(flow);
    const asked = flow.upstream.requests.length;
    expect(await postForm(`${flow.base}/revocation`, { client_id: other.id, token })).toMatchObject({ status: 200 });
    expect(flow.upstream.requests).toHaveLength(asked);
  });

  test('is not offered if it would need the shared secret, or if the server has none', async () => {
    for (const name of ['entra', 'okta'] as const) {
      const flow = await startOAuthProxyFlow(name);
      const client = await registerClient(flow);
      const answer = await postForm(`${flow.base}/revocation`, { client_id: client.id, token: 't' });
      expect(answer.status).toBe(404);
    }
  });
});
