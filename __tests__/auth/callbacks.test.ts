import { runInNewContext } from 'node:vm';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { claims, createProtectedApp } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

// An unhandled rejection fails the run, as it would end a server's process.

const signer = createSigner();
const good = signer.sign(claims());
const certified = signer.sign(claims({ cnf: { 'x5t#S256': 'a' } }));

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const unreadable = (member: string) =>
  Object.defineProperty(new Error('x'), member, {
    get() {
      throw revokedProxy();
    },
  });

const nothing: unknown = undefined;

/** Ways in which a callback can misbehave. */
const misdeeds: [name: string, misbehave: () => unknown][] = [
  ...[undefined, null, 'route', 'router', 0, Symbol('x'), Object.create(null), revokedProxy()].map(
    (thrown, i): [string, () => unknown] => [
      `throws something that is no error (${i})`,
      () => {
        throw thrown;
      },
    ],
  ),
  ...['name', 'message', 'stack'].map((member): [string, () => unknown] => [
    `throws an error whose ${member} cannot be read`,
    () => {
      throw unreadable(member);
    },
  ]),
  ['rejects', () => Promise.reject(new Error('later'))],
  ['rejects with nothing', () => Promise.reject()],
  ['rejects, from another realm', () => runInNewContext('Promise.reject(new Error("later"))')],
  [
    'returns what throws when it is looked at',
    () =>
      new Proxy(
        {},
        {
          get: () => {
            throw nothing;
          },
        },
      ),
  ],
  ['returns a revoked Proxy', revokedProxy],
];

describe.each(misdeeds)('a function that %s', (_name, misbehave) => {
  test('as onDecision, or as a logger, changes nothing', async () => {
    const logger = { debug: misbehave, info: misbehave, warn: misbehave, error: misbehave };
    const { send, get } = createProtectedApp({ onDecision: misbehave, logger }, signer);
    expect((await send(good)).status).toBe(200);
    expect((await get()).status).toBe(401);
  });

  test('as senderConstraint.mtls.getCertificate is answered 500', async () => {
    for (const logger of [undefined, console]) {
      const protectedApp = createProtectedApp(
        {
          senderConstraint: { mtls: { getCertificate: misbehave } },
          logger: logger && { ...logger, error: () => undefined },
        },
        signer,
      );
      for (const _ of ['verified', 'known']) expect((await protectedApp.send(certified)).status).toBe(500);
    }
  });

  test('as revoke() refuses', async () => {
    const { auth, send } = createProtectedApp({}, signer);
    await send(good);
    auth.revoke(misbehave as never);
    for (const _ of [1, 2]) expect((await send(good)).status).toBe(401);
  });

  test('as jwks, after it worked once, is answered 503', async () => {
    let answer: () => unknown = () => keys;
    const keys = { keys: [signer.jwk] };
    const { send } = createProtectedApp({ jwks: () => answer() }, signer);
    expect((await send(good)).status).toBe(200);
    answer = misbehave;
    for (const _ of [1, 2]) expect((await send(good)).status).toBe(503);
    answer = () => keys;
    expect((await send(good)).status).toBe(200);
  });
});

test('a key set that throws when it is looked at is 503', async () => {
  const hostile = () =>
    Object.defineProperty({}, 'keys', {
      get() {
        throw nothing;
      },
    });
  let keys: object = { keys: [signer.jwk] };
  const { app } = createProtectedApp({ jwks: () => keys }, signer);
  const send = () => request(app).get('/mcp').auth(good, { type: 'bearer' });
  await send().expect(200);
  keys = hostile();
  for (const _ of [1, 2]) await send().expect(503);
});

test.each([[0], [true], [{}], [[]], [new Map()]])('a certificate of %j is answered 500', async (certificate) => {
  expect(
    (
      await createProtectedApp({ senderConstraint: { mtls: { getCertificate: () => certificate } } }, signer).send(
        certified,
      )
    ).status,
  ).toBe(500);
});
