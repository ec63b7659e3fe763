import { describe, expect, test } from 'vitest';
import { getAuth } from '../../src/index.js';
import {
  IDENTITY_KINDS,
  type IdentityFlow,
  type IdentityKindName,
  logIn,
  refresh,
  startIdentityFlow,
} from '../support/identity-flow.js';
import { ALICE } from '../support/identity-logins.js';
import { initialize, post } from '../support/mcp-requests.js';
import { type Answer, postForm, registerClient } from '../support/oauth-proxy-client.js';

const KINDS = Object.entries(IDENTITY_KINDS).map(([name, kind]) => ({ name: name as IdentityKindName, ...kind }));

/** The status of a request with the access token of an answer. */
async function statusOf({ guarded }: IdentityFlow, { body }: Answer): Promise<number> {
  const response = await post(guarded.resource, initialize(), { authorization: `Bearer ${body.access_token}` });
  await response.text();
  return response.status;
}

/** Every token that the identity provider has sent. */
const UPSTREAM_TOKEN = /gh[our]_[0-9a-f]+|ya29\.\w+|1\/\/0\w+|eyJ\w+\.|\b[0-9a-f]{40,}\b/;

describe.each(KINDS)('$name', ({ name, refresh: kindOfRefresh, subjectOf, paths, option }) => {
  test('logs in: the token is issued here, and says who the user is', async () => {
    const flow = await startIdentityFlow(name);
    const { answer } = await logIn(flow);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        access_token: expect.stringMatching(/^emat_[\w-]+$/),
        token_type: 'Bearer',
        scope: 'mcp.read mcp.write',
        refresh_token: expect.any(String),
      },
    });
    expect(answer.body.expires_in).toBeLessThanOrEqual(3_600);
    expect(Object.keys(answer.body).toSorted()).toEqual(
      ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type'].toSorted(),
    );
    expect(await statusOf(flow, answer)).toBe(200);
    expect(JSON.stringify(answer.body)).not.toMatch(UPSTREAM_TOKEN);
  });

  test('the MCP server sees the subject, the resource as issuer, and no token of the identity provider', async () => {
    let seen: unknown;
    const flow = await startIdentityFlow(name, {}, {}, (req, res) => {
      seen = { ...getAuth(req), token: undefined };
      res.json({});
    });
    const { answer, client } = await logIn(flow, ALICE, { scope: 'mcp.read' });
    await statusOf(flow, answer);
    const { resource } = flow.guarded;
    const claims = { iss: resource, aud: resource, sub: subjectOf(ALICE), client_id: expect.any(String) };
    expect(seen).toMatchObject({ subject: subjectOf(ALICE), scopes: ['mcp.read'], payload: claims });
    expect(JSON.stringify(seen)).not.toMatch(UPSTREAM_TOKEN);
    expect(JSON.stringify(seen)).not.toContain(client.id);
    expect(flow.lines.join('\n')).not.toMatch(UPSTREAM_TOKEN);
    expect(flow.lines.join('\n')).not.toContain('emat_');
  });

  test('refreshes', async () => {
    const flow = await startIdentityFlow(name);
    const { client, answer: first } = await logIn(flow);
    const before = flow.upstream.requests.length;
    const second = await refresh(flow, client, first);
    expect(second).toMatchObject({ status: 200, body: { access_token: expect.stringMatching(/^emat_/) } });
    expect(await statusOf(flow, second)).toBe(200);
    const third = await refresh(flow, client, second);
    expect(await statusOf(flow, third)).toBe(200);
    const made = flow.upstream.requests.slice(before).filter(({ path }) => path === paths.token);
    expect(made.map(({ form }) => form.get('grant_type'))).toEqual(
      kindOfRefresh === 'none' ? [] : ['refresh_token', 'refresh_token'],
    );
    const sent = new Set(made.map(({ form }) => form.get('refresh_token')));
    expect(sent.size).toBe({ none: 0, keeps: 1, rotates: 2 }[kindOfRefresh]);
  });

  test('a login that the user has ended there is not refreshed', async () => {
    const flow = await startIdentityFlow(name);
    const { client, answer } = await logIn(flow);
    flow.upstream.logins.forgetUser(ALICE);
    expect(await refresh(flow, client, answer)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test.each(['refresh_token', 'access_token'])(
    'a revocation with the %s ends the login, here and at the identity provider',
    async (which) => {
      const flow = await startIdentityFlow(name);
      const { client, answer } = await logIn(flow);
      expect(await statusOf(flow, answer)).toBe(200);
      const form = { client_id: client.id, token: answer.body[which] as string };
      expect(await postForm(`${flow.base}/revocation`, form)).toMatchObject({ status: 200, body: {} });
      expect(await statusOf(flow, answer)).toBe(401);
      expect(await refresh(flow, client, answer)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      const { headers, host } = flow.upstream.requests.find(({ path }) => path === paths.profile) ?? {};
      const again = await fetch(`https://${host}${paths.profile}`, {
        headers: { authorization: `${headers?.authorization}` },
      });
      expect(again.status).toBe(401);
    },
  );

  test('another client cannot revoke its tokens', async () => {
    const flow = await startIdentityFlow(name);
    const { answer } = await logIn(flow);
    const other = await registerClient(flow);
    const form = { client_id: other.id, token: answer.body.refresh_token as string };
    expect(await postForm(`${flow.base}/revocation`, form)).toMatchObject({ status: 200 });
    expect(await statusOf(flow, answer)).toBe(200);
  });

  test('sends PKCE, the scopes of the policy, and nothing that the client asked for', async () => {
    const flow = await startIdentityFlow(name);
    await logIn(flow, ALICE, { scope: 'mcp.read' });
    const { query } = flow.upstream.requests[0] ?? {};
    const sent = Object.fromEntries(query ?? []);
    expect(sent).toMatchObject({
      response_type: 'code',
      client_id: 'Iv1.client',
      redirect_uri: `${flow.base}/callback`,
      code_challenge_method: 'S256',
      ...EXTRA[option],
    });
    const common = ['response_type', 'client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method'];
    const allowed = [...common, 'scope', 'nonce', 'access_type', 'prompt'];
    expect(Object.keys(sent).filter((parameter) => !allowed.includes(parameter))).toEqual([]);
    expect(sent.scope ?? '').not.toContain('mcp.read');
  });
});

const EXTRA = {
  github: {},
  google: { access_type: 'offline', prompt: 'consent', scope: 'openid email profile', nonce: expect.any(String) },
  gitlab: { scope: 'openid profile email', nonce: expect.any(String) },
  oauth2: {},
};

test('a GitHub App is asked for no scopes', async () => {
  const flow = await startIdentityFlow('a GitHub App');
  await logIn(flow);
  expect(flow.upstream.requests[0]?.query.has('scope')).toBe(false);
});

test('the eleventh login at GitHub ends the first: an app gets ten tokens for a user', async () => {
  const flow = await startIdentityFlow('GitHub');
  const { client, answer } = await logIn(flow);
  for (let i = 0; i < 9; i++) await logIn(flow, ALICE, { client });
  const kept = await refresh(flow, client, answer);
  expect(kept.status).toBe(200);
  await logIn(flow, ALICE, { client });
  expect(await refresh(flow, client, kept)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});
