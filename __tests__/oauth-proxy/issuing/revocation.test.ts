import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/index.js';
import {
  forgetOwnMemory,
  refreshAt,
  registerAt,
  revokeAt,
  startIssuingFlow,
  startIssuingServer,
  tokensOf,
} from '../../support/issuing-flow.js';

describe.each(['access_token', 'refresh_token'])('a client that revokes its %s', (kind) => {
  test('ends the login, here and at the identity provider', async () => {
    const { upstream, server, client } = await startIssuingFlow();
    const { body } = await tokensOf(client);
    const other = (await tokensOf(client)).body;
    expect((await server.call(body.access_token)).status).toBe(200);
    expect(await revokeAt(server, client, body[kind])).toBe(200);
    const { status, body: refusal } = await server.call(body.access_token);
    expect({ status, ...refusal }).toMatchObject({ status: 401, error_description: 'The token has been revoked' });
    expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    expect(upstream.accessTokens.size).toBe(1);
    expect((await server.call(other.access_token)).status, 'another login of the same user').toBe(200);
  });

  test('ends the tokens that were refreshed before', async () => {
    const { server, client } = await startIssuingFlow();
    const { body } = await tokensOf(client);
    const newer = (await refreshAt(server, client, body.refresh_token)).body;
    await revokeAt(server, client, body[kind]);
    expect((await server.call(newer.access_token)).status).toBe(401);
    expect((await refreshAt(server, client, newer.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('ends the login at other replicas too, with a store', async () => {
    const store = createMemoryStore();
    const { upstream, server, client } = await startIssuingFlow({}, { store });
    const policy = { resourceMetadata: { resource: `${server.origin}/mcp` } };
    const replica = await startIssuingServer(upstream, { store, policy });
    const { body } = await tokensOf(client);
    expect((await replica.call(body.access_token)).status).toBe(200);
    await revokeAt(server, client, body[kind]);
    forgetOwnMemory();
    await expect.poll(async () => (await replica.call(body.access_token)).status).toBe(401);
    expect((await refreshAt(replica, client, body.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('must be the client that got it', async () => {
    const { upstream, server, client } = await startIssuingFlow();
    const { body } = await tokensOf(client);
    expect(await revokeAt(server, await registerAt(server), body[kind])).toBe(200);
    expect((await server.call(body.access_token)).status).toBe(200);
    expect(upstream.accessTokens.size).toBe(1);
  });

  test('gets 503 if the identity provider is down, and the login has ended here', async () => {
    const { upstream, server, client } = await startIssuingFlow();
    const { body } = await tokensOf(client);
    upstream.state.isDown = true;
    expect(await revokeAt(server, client, body[kind])).toBe(503);
    expect((await server.call(body.access_token)).status).toBe(401);
    upstream.state.isDown = false;
    expect(await revokeAt(server, client, body[kind])).toBe(200);
    expect(upstream.accessTokens.size).toBe(0);
  });
});

test('a token of another server gets the same answer, and is sent nowhere', async () => {
  const { upstream, server, client } = await startIssuingFlow();
  const called = upstream.requests.length;
  expect(await revokeAt(server, client, 'gho_unknown')).toBe(200);
  expect(upstream.requests.length).toBe(called);
});

describe('revoke() refuses', () => {
  test('a token', async () => {
    const { server, client } = await startIssuingFlow();
    const { body } = await tokensOf(client);
    await server.call(body.access_token);
    server.auth.revoke(String(body.access_token));
    expect((await server.call(body.access_token)).status).toBe(401);
  });

  test('the tokens of a user, and their refresh tokens', async () => {
    const { server, client } = await startIssuingFlow();
    const { body } = await tokensOf(client);
    const { subject } = (await server.call(body.access_token)).body;
    server.auth.revoke({ subject: String(subject) });
    expect((await server.call(body.access_token)).status).toBe(401);
    expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('what a function matches, and the refresh tokens of it', async () => {
    const { server, client } = await startIssuingFlow();
    const { body } = await tokensOf(client);
    server.auth.revoke(({ payload }) => payload.login === 'octocat');
    expect((await server.call(body.access_token)).status).toBe(401);
    expect((await refreshAt(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
  });
});
