import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import request from 'supertest';
import { expect, onTestFinished, test, vi } from 'vitest';
import { withdrawalOf } from '../../src/core/token-validity.js';
import { type AuthInfo, getAuth } from '../../src/index.js';
import { createAppWithKeys, makeKey } from '../support/api-keys.js';
import { expectInvalidToken } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const UNKNOWN = 'The API key is not known here';

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), 'api-keys-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'keys.json');
  const [first, second] = [makeKey({ subject: 'first' }), makeKey({ subject: 'second' })];
  await writeFile(file, JSON.stringify([first.entry]));
  const { lines, logger } = createRecordingLogger();
  return { file, first, second, lines, open: () => createAppWithKeys({ file }, { logger }) };
}

test('a key that is added is accepted, and one that is removed is refused, without a restart', async () => {
  const { file, first, second, open } = await setUp();
  const { send } = open();
  expect((await send(first.key)).status).toBe(200);
  await writeFile(`${file}.tmp`, JSON.stringify([second.entry]));
  await rename(`${file}.tmp`, file);
  await vi.waitFor(async () => expect((await send(second.key)).status).toBe(200), 15_000);
  expectInvalidToken(await send(first.key), UNKNOWN);
  await writeFile(file, '[]');
  await vi.waitFor(async () => expectInvalidToken(await send(second.key), UNKNOWN), 15_000);
});

test('the scopes of a known key are those of the newest file', async () => {
  const { file, first, open } = await setUp();
  const { send } = open();
  expect((await send(first.key)).body.scopes).toEqual([]);
  await writeFile(file, JSON.stringify([{ ...first.entry, scopes: ['read'] }]));
  await vi.waitFor(async () => expect((await send(first.key)).body.scopes).toEqual(['read']), 15_000);
});

test.each<[string, object, string | undefined]>([
  ['fewer scopes', { scopes: ['read'] }, 'unknown_api_key'],
  ['another subject', { subject: 'other' }, 'unknown_api_key'],
  ['other claims', { claims: { team: 'b' } }, 'unknown_api_key'],
  ['more scopes', { scopes: ['read', 'write', 'admin'] }, undefined],
])('what a key began ends with %s only if they give less', async (_what, changed, withdrawal) => {
  const { file, first, second } = await setUp();
  const entry = { ...first.entry, scopes: ['read', 'write'], claims: { team: 'a' } };
  await writeFile(file, JSON.stringify([entry]));
  const auths: (AuthInfo | undefined)[] = [];
  const { send, auth } = createAppWithKeys({ file });
  const app = express().use(auth, (req, res) => {
    auths.push(getAuth(req));
    res.end();
  });
  await request(app).get('/mcp').set('authorization', `Bearer ${first.key}`);
  await writeFile(file, JSON.stringify([{ ...entry, ...changed }, second.entry]));
  await vi.waitFor(async () => expect((await send(second.key)).status).toBe(200), 15_000);
  expect(auths.map(withdrawalOf)).toEqual([withdrawal]);
});

test.each([
  ['that is no JSON', '[{', 'it is not JSON'],
  [
    'with a key in place of its hash',
    JSON.stringify([{ sha256: makeKey().key }]),
    'entry 0: its "sha256" is not 64 hexadecimal digits; the key itself must not be here',
  ],
  [
    'with a misspelt member',
    JSON.stringify([{ ...makeKey().entry, expire: '2020-01-01' }]),
    'entry 0: its member "expire" is not known; known are sha256, subject, scopes, claims, expires',
  ],
  ['that is empty', '', 'it is not JSON'],
])('a file %s keeps the previous keys, and the log says so', async (_name, text, reason) => {
  const { file, first, second, lines, open } = await setUp();
  const { send } = open();
  await writeFile(file, text);
  const line = `error API keys: ${file} cannot be used (${reason}); the previous keys stay in use`;
  await vi.waitFor(() => expect(lines).toContain(line), 15_000);
  expect((await send(first.key)).status).toBe(200);
  await writeFile(file, JSON.stringify([second.entry]));
  await vi.waitFor(async () => expect((await send(second.key)).status).toBe(200), 15_000);
});
