import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import request from 'supertest';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { withdrawalOf } from '../../src/core/token-validity.js';
import { type AuthInfo, getAuth, type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { passTime } from '../support/app-with-key-server.js';
import { startKeyServer } from '../support/key-server.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';
import { until } from '../support/until.js';

const signer = createSigner({ kid: 'old' });
const other = createSigner({ kid: 'new' });
const OLD = { keys: [signer.jwk] };
const NEW = { keys: [other.jwk] };
const BOTH = { keys: [other.jwk, signer.jwk] };

afterEach(() => void vi.useRealTimers());

/** A key set of one kind, as a policy names it, and a way to change it. */
interface Source {
  readonly jwks: unknown;
  /** Publishes something else. After `undefined`, the key set cannot be read any more. */
  publish(keys: object | undefined): void | Promise<void>;
}

const SOURCES: Readonly<Record<string, () => Source | Promise<Source>>> = {
  async 'a server'() {
    const server = await startKeyServer(OLD.keys);
    return {
      jwks: { url: server.url },
      async publish(keys) {
        if (keys === undefined) await server.goDown();
        else server.answer((keys as typeof OLD).keys);
        passTime(3_700_000);
      },
    };
  },
  'a file'() {
    const folder = mkdtempSync(join(tmpdir(), 'keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'jwks.json');
    const publish = (keys: object | undefined) => writeFileSync(file, keys === undefined ? '' : JSON.stringify(keys));
    publish(OLD);
    return { jwks: { file }, publish };
  },
  'a function'() {
    let published: object | undefined = OLD;
    const publish = (keys: object | undefined) => {
      published = keys;
    };
    const read = () => published ?? expect.fail('the keys cannot be read');
    return { jwks: read, publish };
  },
  'a function that returns a new object each time'() {
    let published: object | undefined = OLD;
    const publish = (keys: object | undefined) => {
      published = keys;
    };
    const read = () => ({ ...(published ?? expect.fail('the keys cannot be read')) });
    return { jwks: read, publish };
  },
};

async function setUp(createSource: () => Source | Promise<Source>) {
  const { jwks, publish } = await createSource();
  const seen: AuthInfo[] = [];
  const app = express();
  app.use(mcpAuth({ issuer: ISSUER, jwks, resourceMetadata: { resource: RESOURCE } } as McpAuthOptions));
  app.use((req, res) => {
    seen.push(getAuth(req) as AuthInfo);
    res.end();
  });
  // It does not expire, however far the test moves the date.
  const exp = Date.now() / 1_000 + 1_000_000_000;
  const send = (by: typeof signer) =>
    request(app)
      .get('/mcp')
      .auth(by.sign(claims({ exp })), { type: 'bearer' });
  expect((await send(signer)).status).toBe(200);
  return { auth: seen[0] as AuthInfo, send, publish };
}

const kinds = Object.entries(SOURCES);

test.each(kinds)('an accepted token is over once %s no longer has its key', async (_kind, createSource) => {
  const { auth, send, publish } = await setUp(createSource);
  expect(withdrawalOf(auth)).toBeUndefined();
  await publish(NEW);
  await until(async () => (await send(other)).status === 200);
  await until(() => withdrawalOf(auth) === 'unknown_key');
});

test.each(kinds)('a key that %s publishes again, beside others, is not withdrawn', async (_kind, createSource) => {
  const { auth, send, publish } = await setUp(createSource);
  await publish(BOTH);
  await until(async () => (await send(other)).status === 200);
  expect(withdrawalOf(auth)).toBeUndefined();
});

test.each(kinds)('no key is withdrawn where %s cannot be read', async (_kind, createSource) => {
  const { auth, send, publish } = await setUp(createSource);
  await publish(undefined);
  for (const _round of [1, 2, 3]) {
    await send(other);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(withdrawalOf(auth)).toBeUndefined();
  }
});

test('an anonymous caller has nothing that could be withdrawn', () => {
  expect(withdrawalOf(undefined)).toBeUndefined();
});
