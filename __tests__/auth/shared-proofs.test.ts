import request, { type Response } from 'supertest';
import { expect, test } from 'vitest';
import { createMemoryStore, type Store } from '../../src/index.js';
import { bound, DPOP, proof, signer } from '../support/dpop-proofs.js';
import { createProtectedApp, type ProtectedApp } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const replica = (store: Store, more: object = {}): ProtectedApp =>
  createProtectedApp({ store, senderConstraint: DPOP.accept, ...more }, signer);
const send = async ({ app }: ProtectedApp, dpop: string): Promise<Response> =>
  request(app)
    .get('/mcp')
    .set({ authorization: `DPoP ${bound}`, dpop, accept: 'application/json' });

test('a proof counts once for all policies with one store', async () => {
  const store = createMemoryStore();
  const replicas = [replica(store), replica(store)] as const;
  const once = proof();
  const answers = await Promise.all([...replicas, ...replicas].map((each) => send(each, once)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401]);
  const refused = answers.find(({ status }) => status === 401);
  expect(refused?.body).toMatchObject({
    error: 'invalid_dpop_proof',
    error_description: 'The DPoP proof has been used before',
  });
  expect((await send(replicas[1], proof())).status).toBe(200);
});

test('what the store holds of a proof is a hash, for as long as some replica could accept the proof', async () => {
  const added: [string, string, number][] = [];
  const memory = createMemoryStore();
  const add: Store['add'] = (...given) => {
    added.push(given);
    return memory.add(...given);
  };
  const store: Store = { ...memory, add };
  expect((await send(replica(store), proof({ jti: 'secret-id' }))).status).toBe(200);
  expect(added).toEqual([[expect.stringMatching(/^proof:[\w-]{43}$/), '1', 180_000]]);
});

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('down');
    },
  ],
  ['rejects', () => Promise.reject(new Error('down'))],
  ['answers with a text', () => 'OK'],
  ['answers with nothing', () => undefined],
])('while the store %s, a proof is refused with 503, and the log says so once', async (_case, add) => {
  const { lines, logger } = createRecordingLogger();
  const app = replica({ ...createMemoryStore(), add } as never, { logger });
  for (let i = 0; i < 3; i += 1) {
    const { status, body, headers } = await send(app, proof());
    expect([status, headers['retry-after'], headers['www-authenticate']]).toEqual([503, '1', undefined]);
    expect(body).toEqual({
      error: 'store_unavailable',
      error_description: 'The memory that the replicas of this server share cannot be used at the moment',
    });
  }
  expect(lines.filter((line) => line.includes('the store cannot be used'))).toHaveLength(1);
});

test('a token that is not bound needs no store', async () => {
  const app = replica({ ...createMemoryStore(), add: () => Promise.reject(new Error('down')) });
  expect(
    (
      await app.send(
        signer.sign({ ...JSON.parse(Buffer.from(bound.split('.')[1] ?? '', 'base64url').toString()), cnf: undefined }),
      )
    ).status,
  ).toBe(200);
});
