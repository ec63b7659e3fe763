import { afterEach, describe, expect, test, vi } from 'vitest';
import { createAppWithKeys, makeKey } from '../support/api-keys.js';
import { passTime } from '../support/app-with-key-server.js';
import { expectOutage, startIntrospectionServer } from '../support/introspection-server.js';
import { claims, expectInvalidToken } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner } from '../support/signer.js';

afterEach(() => void vi.useRealTimers());

const UNKNOWN = 'The API key is not known here';
const { key, entry } = makeKey({ subject: 'ci', scopes: ['read'] });

function setUp(find: (sha256: string) => unknown, changes: Record<string, unknown> = {}) {
  const asked: string[] = [];
  const apiKeys = (sha256: string) => {
    asked.push(sha256);
    return find(sha256);
  };
  return { asked, ...createAppWithKeys(apiKeys, changes) };
}

test('a function finds a key by its hash, and is asked about it once a minute', async () => {
  const { sha256, ...known } = entry;
  const { asked, send, withHeaders } = setUp(async (hash) => (hash === sha256 ? known : undefined));
  expect((await send(key)).body).toMatchObject({ subject: 'ci', scopes: ['read'] });
  expect((await withHeaders({ 'x-api-key': key })).status).toBe(200);
  expect(asked).toEqual([sha256]);
  passTime(61_000);
  expect((await send(key)).status).toBe(200);
  expect(asked).toHaveLength(2);
});

test('a function may return a row that has the hash too, and need not be async', async () => {
  const { send } = setUp(() => entry);
  expect((await send(key)).status).toBe(200);
});

test.each([undefined, null])('%s for a key refuses it, and is remembered for 10 seconds', async (result) => {
  const { asked, send } = setUp(() => result);
  for (const _ of [1, 2]) expectInvalidToken(await send(key), UNKNOWN);
  expect(asked).toHaveLength(1);
  passTime(11_000);
  expectInvalidToken(await send(key), UNKNOWN);
  expect(asked).toHaveLength(2);
});

test('an expired key is refused', async () => {
  expectInvalidToken(await setUp(() => ({ expires: '2020-01-01' })).send(key), 'The token has expired');
});

describe('a failure of the function is 503, and never 401', () => {
  test.each<[name: string, find: (sha256: string) => unknown]>([
    [
      'it throws',
      () => {
        throw new Error('the database is down');
      },
    ],
    ['it rejects with undefined', async () => Promise.reject()],
    ['it rejects', async () => Promise.reject(new Error('the database is down'))],
    ['it returns text', () => 'ci'],
    ['it returns true', () => true],
    ['it returns a list', () => [entry]],
    ['it returns a misspelt expires', () => ({ subject: 'ci', expire: '2020-01-01' })],
    ['it returns a subject that is a number', () => ({ subject: 7 })],
    ['it returns scopes as text', () => ({ scopes: 'read' })],
    ['it returns a date that is none', () => ({ expires: 'tomorrow' })],
  ])('%s', async (_name, find) => {
    const { lines, logger } = createRecordingLogger();
    const { send } = setUp(find, { logger });
    expectOutage(await send(key));
    expect(lines[0]).toMatch(/^error mcpAuth strict: GET "\/mcp" failed: api_keys_unavailable: .*apiKeys\(\)/);
    expect(lines.join()).not.toContain(key.slice(5));
  });
});

test('a function is not asked about a JWT, and an opaque token that it does not know goes on', async () => {
  const signer = createSigner();
  const server = await startIntrospectionServer();
  const { asked, send } = setUp(() => undefined, { jwks: { keys: [signer.jwk] }, introspection: server.introspection });
  expect((await send(signer.sign(claims()))).status).toBe(200);
  expect(asked).toEqual([]);
  const token = server.issue();
  expect((await send(token)).status).toBe(200);
  expect(asked).toHaveLength(1);
  expectInvalidToken(await send(key), UNKNOWN);
  expect(server.asked).toEqual([token]);
});
