import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { altered } from '../support/altered.js';
import { passTime, setDate, stopTime } from '../support/app-with-key-server.js';
import {
  expectOutage,
  replyJson,
  setUpIntrospection,
  startIntrospectionServer,
} from '../support/introspection-server.js';
import {
  createAppInEveryMode,
  createProtectedApp,
  expectInvalidToken,
  ISSUER,
  RESOURCE,
} from '../support/protected-app.js';

afterEach(() => void vi.useRealTimers());

const INACTIVE = 'The token is not active: it is unknown, expired or revoked';
const nowSeconds = () => Math.floor(Date.now() / 1_000);

test('an active token is a caller with the claims of the answer', async () => {
  const { server, protectedApp } = await setUpIntrospection();
  const response = await protectedApp.send(server.issue({ sub: 'alice', scope: 'read write', username: 'Al' }));
  expect(response.status).toBe(200);
  expect(response.body).toMatchObject({
    anonymous: false,
    subject: 'alice',
    clientId: 'app',
    scopes: ['read', 'write'],
    resource: RESOURCE,
    header: {},
    payload: { iss: ISSUER, aud: RESOURCE, sub: 'alice', username: 'Al' },
  });
  expect(response.body.payload.active).toBeUndefined();
});

test.each(['client_secret_basic', 'client_secret_post'])('the server authenticates with %s', async (authMethod) => {
  const { server, protectedApp } = await setUpIntrospection({ introspection: { authMethod } });
  expect((await protectedApp.send(server.issue())).status).toBe(200);
});

describe('claims are checked as those of a JWT, in every mode', () => {
  test.each<[name: string, changes: Record<string, unknown>, refusal: string | undefined]>([
    ['good claims', {}, undefined],
    ['no iss', { iss: undefined }, undefined],
    ['another iss', { iss: 'https://other.example' }, 'The issuer of the token is not accepted here'],
    ['an iss with a slash more', { iss: `${ISSUER}/` }, 'The issuer of the token is not accepted here'],
    ['an iss in a list', { iss: [ISSUER] }, 'The issuer of the token is not accepted here'],
    ['no aud', { aud: undefined }, 'The token is meant for another audience'],
    ['another aud', { aud: 'https://other.example/mcp' }, 'The token is meant for another audience'],
    ['an empty list of aud', { aud: [] }, 'The token is meant for another audience'],
    ['aud in a list', { aud: ['x', RESOURCE] }, undefined],
    ['aud as an object', { aud: { 0: RESOURCE } }, 'The token has a claim of the wrong type'],
    ['exp in the past', { exp: 1 }, 'The token has expired'],
    ['exp as text', { exp: '9999999999' }, 'The token has a claim of the wrong type'],
    ['no exp', { exp: undefined }, 'The token lacks a required claim'],
    ['nbf ahead', { nbf: nowSeconds() + 3_600 }, 'The token is not valid yet'],
    ['sub as a number', { sub: 7 }, 'The token has a claim of the wrong type'],
    ['client_id as a number', { client_id: 7 }, 'The token has a claim of the wrong type'],
    ['scope as a number', { scope: 7 }, 'The token has a claim of the wrong type'],
    [
      'the type of DPoP tokens, without a key',
      { token_type: 'dpoP' },
      'The token is bound in a way that cannot be checked here',
    ],
    ['no token_type', { token_type: undefined }, undefined],
    ['a refresh token, by its type', { token_type: 'refresh_token' }, 'The token is not an access token'],
    ['a refresh token, as Ory Hydra has it', { token_use: 'refresh_token' }, 'The token is not an access token'],
    ['an access token, as Ory Hydra has it', { token_use: 'access_token' }, undefined],
    ['an ID token', { nonce: 'n' }, 'The token is not an access token'],
    ['a refresh token, as Keycloak has it', { typ: 'Refresh' }, 'The token is not an access token'],
    ['an access token with a nonce, as Keycloak has it', { typ: 'Bearer', nonce: 'n' }, undefined],
  ])('%s', async (_name, changes, refusal) => {
    const server = await startIntrospectionServer();
    const app = createAppInEveryMode({ introspection: server.introspection });
    const response = await app.send(server.issue(changes));
    if (refusal === undefined) expect(response.status).toBe(200);
    else expectInvalidToken(response, refusal);
  });

  test('a token without a required scope is answered 403', async () => {
    const { server, protectedApp } = await setUpIntrospection({ requiredScopes: ['write'] });
    expect((await protectedApp.send(server.issue({ scope: 'read' }))).status).toBe(403);
  });
});

test('a token that the server does not know is refused in every mode, and asked about once in 10 seconds', async () => {
  stopTime();
  const server = await startIntrospectionServer();
  const { send } = createProtectedApp({ introspection: server.introspection });
  const token = altered(server.issue(), 5);
  for (const _ of [1, 2, 3]) expectInvalidToken(await send(token), INACTIVE);
  expect(server.asked).toEqual([token]);
  passTime(11_000);
  expectInvalidToken(await send(token), INACTIVE);
  expect(server.asked).toHaveLength(2);
  expectInvalidToken(await createAppInEveryMode({ introspection: server.introspection }).send(token), INACTIVE);
});

test('a refusal is the same again, also for a listener who comes after the first one', async () => {
  const issuer = 'https://keycloak.example/realms/a';
  const changes = { issuer, provider: 'keycloak', jwks: undefined, oauthProxy: false };
  const { server, protectedApp } = await setUpIntrospection(changes);
  const token = server.issue({ iss: undefined, aud: 'https://other.example' });
  const WRONG = 'The token is meant for another audience';
  expectInvalidToken(await protectedApp.send(token), WRONG);
  const decisions: unknown[] = [];
  const listen = (decision: unknown) => void decisions.push(decision);
  subscribe('express-mcp-auth:decision', listen);
  onTestFinished(() => void unsubscribe('express-mcp-auth:decision', listen));
  expectInvalidToken(await protectedApp.send(token), WRONG);
  expect(decisions).toMatchObject([{ outcome: 'refused', code: 'wrong_audience' }]);
});

test('a token that becomes active is accepted after 10 seconds', async () => {
  const { server, protectedApp } = await setUpIntrospection();
  server.behave((res) => replyJson(res, { active: false }));
  const token = server.issue();
  expectInvalidToken(await protectedApp.send(token), INACTIVE);
  server.behave(undefined);
  passTime(11_000);
  expect((await protectedApp.send(token)).status).toBe(200);
});

describe('an active token', () => {
  test('is asked about again after a minute, and then refused if it was revoked', async () => {
    stopTime();
    const { server, protectedApp } = await setUpIntrospection();
    const token = server.issue();
    for (const _ of [1, 2]) expect((await protectedApp.send(token)).status).toBe(200);
    server.revoke(token);
    passTime(59_000);
    expect((await protectedApp.send(token)).status).toBe(200);
    expect(server.asked).toHaveLength(1);
    passTime(2_000);
    expectInvalidToken(await protectedApp.send(token), INACTIVE);
    expect(server.asked).toHaveLength(2);
  });

  test('is remembered without tokenCache too', async () => {
    const { server, protectedApp } = await setUpIntrospection({ tokenCache: false });
    const token = server.issue();
    for (const _ of [1, 2, 3]) expect((await protectedApp.send(token)).status).toBe(200);
    expect(server.asked).toHaveLength(1);
  });

  test('is remembered as long as maxAgeSeconds says', async () => {
    const { server, protectedApp } = await setUpIntrospection({ introspection: { maxAgeSeconds: 5 } });
    const token = server.issue();
    await protectedApp.send(token);
    passTime(6_000);
    await protectedApp.send(token);
    expect(server.asked).toHaveLength(2);
  });

  test('is not remembered after its exp', async () => {
    const { server, protectedApp } = await setUpIntrospection({ clockToleranceSeconds: 0 });
    const token = server.issue({ exp: nowSeconds() + 10 });
    expect((await protectedApp.send(token)).status).toBe(200);
    passTime(11_000);
    expectInvalidToken(await protectedApp.send(token), 'The token has expired');
  });

  test('is not remembered after its exp, though only the date has moved, as after a sleep', async () => {
    const { server, protectedApp } = await setUpIntrospection();
    const token = server.issue({ exp: nowSeconds() + 3_600 });
    expect((await protectedApp.send(token)).status).toBe(200);
    setDate(7_200_000);
    expectInvalidToken(await protectedApp.send(token), 'The token has expired');
  });

  test('is asked about once, however many requests come at once', async () => {
    const { server, protectedApp } = await setUpIntrospection();
    const token = server.issue();
    const all = await Promise.all(Array.from({ length: 20 }, () => protectedApp.send(token)));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    expect(server.asked).toHaveLength(1);
  });

  test('goes on for its time while the server is down; a new one is answered 503', async () => {
    const { server, protectedApp } = await setUpIntrospection();
    const [known, unknown] = [server.issue(), server.issue()];
    expect((await protectedApp.send(known)).status).toBe(200);
    await server.goDown();
    expect((await protectedApp.send(known)).status).toBe(200);
    expectOutage(await protectedApp.send(unknown));
    passTime(61_000);
    expectOutage(await protectedApp.send(known));
    await server.comeBack();
    for (const token of [known, unknown]) expect((await protectedApp.send(token)).status).toBe(200);
  });

  test('can be revoked here', async () => {
    const { server, protectedApp } = await setUpIntrospection();
    const token = server.issue();
    expect((await protectedApp.send(token)).status).toBe(200);
    protectedApp.auth.revoke(token);
    expectInvalidToken(await protectedApp.send(token), 'The token has been revoked');
    expect((await protectedApp.send(server.issue())).status).toBe(200);
    protectedApp.auth.revoke(({ subject }) => subject === 'alice');
    expectInvalidToken(await protectedApp.send(server.issue()), 'The token has been revoked');
  });
});
