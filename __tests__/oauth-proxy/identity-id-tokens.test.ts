import type { RequestHandler } from 'express';
import { describe, expect, test } from 'vitest';
import { getAuth } from '../../src/index.js';
import { altered } from '../support/altered.js';
import { type IdentityFlow, logIn, refresh, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE, BOB } from '../support/identity-logins.js';
import type { OAuth2Server } from '../support/oauth2-server.js';
import { createSigner } from '../support/signer.js';

type Claims = Record<string, unknown>;
type MakeIdToken = (server: OAuth2Server, claims: Claims) => string | undefined;

const now = () => Math.floor(Date.now() / 1_000);

/** The provider `oauth2` with `jwksUri` and without `userinfoEndpoint`: only the ID token says who the user is. */
async function startWithIdTokens(
  make: MakeIdToken = withClaims({}),
  mcp?: RequestHandler,
  settings: Claims = {},
): Promise<IdentityFlow> {
  const flow = await startIdentityFlow('OpenID Connect', { userinfoEndpoint: undefined, ...settings }, {}, mcp);
  changeIdTokens(flow, make);
  return flow;
}

function changeIdTokens({ upstream }: IdentityFlow, make: MakeIdToken): void {
  const server = upstream as OAuth2Server;
  server.makeIdTokens((claims) => make(server, claims));
}

function withClaims(changes: Claims): MakeIdToken {
  return ({ signer }, claims) => signer.sign({ ...claims, ...changes });
}

/** Alters a part of the token: the payload is 1. */
function withAltered(part: number): MakeIdToken {
  return ({ signer }, claims) => {
    const parts = signer.sign(claims).split('.');
    return parts.map((text, i) => (i === part ? altered(text, 10) : text)).join('.');
  };
}

const other = createSigner();

test('the user of a server with ID tokens is the one in the ID token, and no profile is fetched', async () => {
  let seen: unknown;
  const flow = await startWithIdTokens(undefined, (req, res) => {
    seen = getAuth(req);
    res.json({});
  });
  const { answer } = await logIn(flow);
  const { access_token: token } = answer.body;
  await fetch(flow.guarded.resource, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  expect(seen).toMatchObject({ subject: '583231', payload: { name: 'Alice Example', email: 'alice@acme.example' } });
  expect(flow.upstream.requests.map(({ path }) => path)).not.toContain('/me');
});

test('the option allow reads the claims of the ID token', async () => {
  const { answer } = await logIn(await startWithIdTokens(), BOB);
  expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
});

describe('a login fails, and the client is not to blame, for an ID token', () => {
  test.each<[string, MakeIdToken]>([
    ['of another issuer', withClaims({ iss: 'https://evil.example' })],
    ['of the issuer with a slash', withClaims({ iss: 'https://login.example/' })],
    ['without an issuer', withClaims({ iss: undefined })],
    ['for another client', withClaims({ aud: 'other' })],
    ['for another authorized party', withClaims({ azp: 'other' })],
    ['that has expired', withClaims({ exp: now() - 3_600 })],
    ['without an expiry', withClaims({ exp: undefined })],
    ['of another login', withClaims({ nonce: 'another' })],
    ['without a nonce', withClaims({ nonce: undefined })],
    ['without a subject', withClaims({ sub: undefined })],
    ['with an empty subject', withClaims({ sub: '' })],
    ['with an altered payload', withAltered(1)],
    ['with an altered signature', withAltered(2)],
    ['signed with another key', (_server, claims) => other.sign(claims)],
    ['signed with another key under the same id', ({ signer }, claims) => other.sign(claims, { kid: signer.kid })],
    ['without a signature', ({ signer }, claims) => signer.sign(claims, { alg: 'none' })],
    ['with HS256 over the public key', ({ signer }, claims) => signer.sign(claims, { alg: 'HS256' })],
    ['that is no JWT', () => 'opaque'],
    ['that is missing', () => undefined],
  ])('%s', async (_case, make) => {
    const flow = await startWithIdTokens(make);
    expect((await logIn(flow)).answer).toMatchObject({ status: 502, body: { error: 'server_error' } });
    expect(flow.lines.join('\n')).not.toMatch(/eyJ/);
  });
});

test.each<[string, MakeIdToken, number]>([
  ['of the same user', withClaims({}), 200],
  ['that is missing', () => undefined, 200],
  ['of another user', withClaims({ sub: '7001' }), 400],
  ['signed with another key', (_server, claims) => other.sign(claims), 502],
])('a refresh with an ID token %s', async (_case, make, status) => {
  const flow = await startWithIdTokens();
  const { answer, client } = await logIn(flow, ALICE);
  changeIdTokens(flow, make);
  expect((await refresh(flow, client, answer)).status).toBe(status);
});

describe('a refresh without an ID token', () => {
  test('asks allow about the profile of the last ID token', async () => {
    const seen: unknown[] = [];
    const rule = { isOpen: true };
    const allow = (profile: Claims) => {
      seen.push(profile);
      return rule.isOpen;
    };
    const flow = await startWithIdTokens(undefined, undefined, { allow });
    const { answer, client } = await logIn(flow, ALICE);
    changeIdTokens(flow, () => undefined);
    const second = await refresh(flow, client, answer);
    expect(second.status).toBe(200);
    const third = await refresh(flow, client, second);
    expect(third.status).toBe(200);
    expect(seen).toEqual([1, 2, 3].map(() => expect.objectContaining({ organizations: ['acme'], sub: '583231' })));
    rule.isOpen = false;
    expect(await refresh(flow, client, third)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('goes on if everyone is allowed', async () => {
    const flow = await startWithIdTokens(undefined, undefined, { allow: undefined, dangerouslyAllowEveryone: true });
    const { answer, client } = await logIn(flow, BOB);
    changeIdTokens(flow, () => undefined);
    expect((await refresh(flow, client, answer)).status).toBe(200);
  });
});
