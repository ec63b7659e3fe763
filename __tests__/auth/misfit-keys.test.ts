import { afterEach, describe, expect, test, vi } from 'vitest';
import { expectUnavailable, fresh, passTime, UNKNOWN_KEY } from '../support/app-with-key-server.js';
import { startKeyServer } from '../support/key-server.js';
import { claims, createProtectedApp, expectInvalidToken } from '../support/protected-app.js';
import { assemble, createSigner, type Signer, signatureOf } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const OTHER_ALGORITHM = 'The token is signed with an algorithm that is not accepted here';

const rs256 = createSigner({ alg: 'RS256', kid: '1' });
const es256 = createSigner({ alg: 'ES256', kid: '1' });
/** The same key, for another algorithm. */
const ps256: Signer = {
  ...rs256,
  alg: 'PS256',
  jwk: { ...rs256.jwk, alg: 'PS256' },
  sign: (payload) => assemble({ alg: 'PS256', kid: '1' }, payload, signatureOf('PS256', rs256.privateKey)),
};

function nameless(): Signer {
  const signer = createSigner();
  const { kid: _, ...jwk } = signer.jwk;
  return { ...signer, jwk, sign: (payload) => signer.sign(payload, { kid: undefined }) };
}
const [first, second] = [nameless(), nameless()];

type Rotation = [what: string, before: Signer[], after: Signer[], token: () => string, refusal: string];
const ROTATIONS: Rotation[] = [
  ['a key of another type under the same kid', [rs256], [es256], () => fresh(es256), OTHER_ALGORITHM],
  ['the same key for another algorithm', [rs256], [ps256], () => fresh(ps256), OTHER_ALGORITHM],
  ['one of two keys without kid', [first, second], [second], () => fresh(second), UNKNOWN_KEY],
];

describe.each(ROTATIONS)('a set that is to have %s', (_what, before, after, token, refusal) => {
  const jwksOf = (signers: readonly Signer[]) => signers.map(({ jwk }) => jwk);

  async function setUp() {
    // For another algorithm, so that it cannot be meant by a token without kid.
    const other = createSigner({ alg: 'ES384', kid: 'other' });
    const server = await startKeyServer([...jwksOf(before), other.jwk]);
    const protectedApp = createProtectedApp({ jwks: { url: server.url } }, other);
    expect((await protectedApp.send(fresh(other))).status).toBe(200);
    return { server, protectedApp, other, publish: (now: readonly Signer[]) => server.answer(jwksOf(now)) };
  }

  test('is fetched again at the first token', async () => {
    const { server, protectedApp, publish } = await setUp();
    publish(after);
    expect((await protectedApp.send(token())).status).toBe(200);
    expect(server.requests).toBe(2);
  });

  test('is fetched once in a cool-down while it does not change, and the token is refused', async () => {
    const { server, protectedApp, publish } = await setUp();
    const waiting = token();
    for (let i = 0; i < 20; i += 1) expectInvalidToken(await protectedApp.send(waiting), refusal);
    expect(server.requests).toBe(2);
    publish(after);
    expectInvalidToken(await protectedApp.send(waiting), refusal);
    passTime(31_000);
    expect((await protectedApp.send(waiting)).status).toBe(200);
    expect(server.requests).toBe(3);
  });

  test('is an outage while it cannot be fetched again, and known keys verify', async () => {
    const { server, protectedApp, other } = await setUp();
    await server.goDown();
    await expectUnavailable(protectedApp, token());
    expect((await protectedApp.send(fresh(other))).status).toBe(200);
  });
});

test('an algorithm that is never accepted causes no fetch', async () => {
  const server = await startKeyServer([rs256.jwk]);
  const { send } = createProtectedApp({ jwks: { url: server.url } }, rs256);
  expect((await send(fresh(rs256))).status).toBe(200);
  expectInvalidToken(await send(rs256.sign(claims(), { alg: 'HS256' })), OTHER_ALGORITHM);
  expect(server.requests).toBe(1);
});
