import { describe, expect, test } from 'vitest';
import { altered } from '../support/altered.js';
import { replyJson, setUpIntrospection, startIntrospectionServer } from '../support/introspection-server.js';
import { claims, createProtectedApp, ISSUER } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

describe('which tokens the server sees', () => {
  const signer = createSigner();
  const jwt = signer.sign(claims());
  const refused: [name: string, token: string][] = [
    ['a JWT with a bad signature', altered(jwt, -10)],
    ['a JWT that has expired', signer.sign(claims({ exp: 1 }))],
    ['a JWT of an unknown issuer', signer.sign(claims({ iss: 'https://other.example' }))],
    ['three segments that are no JWT', 'a.b.c'],
    ['a key with our prefix that is unknown', 'emak_0123456789'],
    ['the prefix of our keys alone', 'emak_'],
  ];

  test.each(refused)('not %s', async (_name, token) => {
    const server = await startIntrospectionServer();
    const response = await createProtectedApp({ introspection: server.introspection }, signer).send(token);
    expect(response.status).toBe(401);
    expect(response.body.error).toBe('invalid_token');
    expect(server.asked).toEqual([]);
  });

  test.each([
    ['without a dot', 'abc'],
    ['with one dot', 'ya29.abc'],
    ['with two dots more than a JWT', 'a.b.c.d.e'],
    ['that ends in equals signs', 'abc=='],
  ])('but an opaque token %s', async (_name, token) => {
    const server = await startIntrospectionServer();
    const { send } = createProtectedApp({ introspection: server.introspection }, signer);
    server.behave((res) => replyJson(res, { active: true, ...claims() }));
    expect((await send(token)).status).toBe(200);
    expect(server.asked).toEqual([token]);
    expect((await send(jwt)).status).toBe(200);
    expect(server.asked).toEqual([token]);
  });

  test('a token of more than maxTokenBytes is refused before anything is asked', async () => {
    const server = await startIntrospectionServer();
    const { send } = createProtectedApp({ introspection: server.introspection, maxTokenBytes: 100 });
    expect((await send('x'.repeat(101))).status).toBe(400);
    expect(server.asked).toEqual([]);
  });

  test('with several issuers, introspection names one, whose audience counts', async () => {
    const server = await startIntrospectionServer();
    const issuers = [
      { issuer: 'https://first.example', jwks: { keys: [signer.jwk] }, audiences: ['first'] },
      { issuer: ISSUER, jwks: { keys: [signer.jwk] } },
    ];
    const several = { issuer: undefined, jwks: undefined, issuers };
    const policy = { ...several, introspection: { ...server.introspection, issuer: ISSUER } };
    const { send } = createProtectedApp(policy, signer);
    expect((await send(server.issue())).status).toBe(200);
    expect((await send(server.issue({ iss: 'https://first.example', aud: 'first' }))).status).toBe(401);
  });
});

test('a token and the secret are in no log line and no decision', async () => {
  const { lines, logger } = createRecordingLogger();
  const decisions: unknown[] = [];
  const { server, protectedApp } = await setUpIntrospection({
    logger,
    onDecision: (decision: unknown) => void decisions.push(decision),
  });
  const tokens = [server.issue(), server.issue({ aud: 'x' }), 'unknown-token-123456'];
  for (const token of tokens) await protectedApp.send(token);
  await server.goDown();
  tokens.push(server.issue());
  await protectedApp.send(tokens.at(-1) as string);
  const written = lines.join('\n') + JSON.stringify(decisions);
  for (const secret of [...tokens, server.introspection.clientSecret]) expect(written).not.toContain(secret);
  expect(decisions).toMatchObject([
    { outcome: 'passed', issuer: ISSUER, subject: 'alice', clientId: 'app' },
    { outcome: 'refused', code: 'wrong_audience', subject: 'alice' },
    { outcome: 'refused', code: 'inactive_token' },
    { outcome: 'failed', code: 'introspection_unavailable' },
  ]);
});
