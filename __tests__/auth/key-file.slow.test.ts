import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { claims, createProtectedApp, expectInvalidToken } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createSigner, type Signer } from '../support/signer.js';

const old = createSigner();
const next = createSigner();
const setOf = (...signers: Signer[]) => JSON.stringify({ keys: signers.map(({ jwk }) => jwk) });

async function setUp() {
  const folder = await mkdtemp(join(tmpdir(), 'key-file-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'jwks.json');
  await writeFile(file, setOf(old));
  const { lines, logger } = createRecordingLogger();
  const open = () => createProtectedApp({ jwks: { file }, logger }, old);
  return { folder, file, lines, open };
}

test('a file written in place is read again: its new key is known, and its old one is not', async () => {
  const { file, open } = await setUp();
  const protectedApp = open();
  const token = old.sign(claims());
  expect((await protectedApp.send(token)).status).toBe(200);
  await writeFile(file, setOf(next));
  await vi.waitFor(async () => expect((await protectedApp.send(next.sign(claims()))).status).toBe(200), 15_000);
  expectInvalidToken(await protectedApp.send(token), 'The token is signed with an unknown key');
});

test('a file put in its place by rename, as editors do, is read again, and again', async () => {
  const { folder, file, open } = await setUp();
  const protectedApp = open();
  expect((await protectedApp.send(old.sign(claims()))).status).toBe(200);
  for (const signer of [next, old, next]) {
    await writeFile(join(folder, 'jwks.json.tmp'), setOf(signer));
    await rename(join(folder, 'jwks.json.tmp'), file);
    await vi.waitFor(async () => expect((await protectedApp.send(signer.sign(claims()))).status).toBe(200), 15_000);
  }
});

test('a link put in its place, as Kubernetes does, is read again', async () => {
  const { folder, file, open } = await setUp();
  await writeFile(join(folder, 'v1'), setOf(old));
  await writeFile(join(folder, 'v2'), setOf(next));
  await rm(file);
  await symlink(join(folder, 'v1'), file);
  const protectedApp = open();
  expect((await protectedApp.send(old.sign(claims()))).status).toBe(200);
  await symlink(join(folder, 'v2'), join(folder, 'link'));
  await rename(join(folder, 'link'), file);
  await vi.waitFor(async () => expect((await protectedApp.send(next.sign(claims()))).status).toBe(200), 15_000);
});

test('a file behind a link into another folder is read again', async () => {
  const { folder, file, open } = await setUp();
  const elsewhere = join(folder, 'elsewhere');
  await mkdir(elsewhere);
  await rename(file, join(elsewhere, 'jwks.json'));
  await symlink(join(elsewhere, 'jwks.json'), file);
  const protectedApp = open();
  expect((await protectedApp.send(old.sign(claims()))).status).toBe(200);
  await writeFile(join(elsewhere, 'jwks.json.tmp'), setOf(next));
  await rename(join(elsewhere, 'jwks.json.tmp'), join(elsewhere, 'jwks.json'));
  await vi.waitFor(async () => expect((await protectedApp.send(next.sign(claims()))).status).toBe(200), 15_000);
});

test('a file in a folder where something else changes all the time is read again', async () => {
  const { folder, file, open } = await setUp();
  const protectedApp = open();
  expect((await protectedApp.send(old.sign(claims()))).status).toBe(200);
  const busy = setInterval(() => void writeFile(join(folder, 'access.log'), 'line'), 10);
  onTestFinished(() => clearInterval(busy));
  await writeFile(file, setOf(next));
  await vi.waitFor(async () => expect((await protectedApp.send(next.sign(claims()))).status).toBe(200), 15_000);
});

test.each([
  ['is not JSON', '{', 'it is not JSON'],
  ['is empty', '', 'it is empty'],
  ['has no usable key', JSON.stringify({ keys: [{ ...next.jwk, use: 'enc' }] }), 'it has no usable key'],
])('a new file that %s keeps the old keys and says so, also when it is as before again', async (_name, text, why) => {
  const { file, lines, open } = await setUp();
  const protectedApp = open();
  await protectedApp.send(old.sign(claims()));
  await writeFile(file, text);
  await vi.waitFor(() => expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(1), 15_000);
  expect(lines.find((line) => line.startsWith('error'))).toContain(why);
  expect((await protectedApp.send(old.sign(claims({ jti: 'after' })))).status).toBe(200);
  await writeFile(file, setOf(old));
  await vi.waitFor(() => expect(lines.at(-1)).toMatch(/^info key set of .* can be used again$/), 15_000);
});

test('a file that is removed keeps the old keys and says so', async () => {
  const { file, lines, open } = await setUp();
  const protectedApp = open();
  await protectedApp.send(old.sign(claims()));
  await rm(file);
  await vi.waitFor(() => expect(lines.some((line) => line.includes('(ENOENT)'))).toBe(true), 15_000);
  expect((await protectedApp.send(old.sign(claims({ jti: 'after' })))).status).toBe(200);
});

test('a file that becomes a named pipe keeps the old keys and says so, and holds nothing up', async () => {
  const { file, lines, open } = await setUp();
  const protectedApp = open();
  await protectedApp.send(old.sign(claims()));
  await rm(file);
  execFileSync('mkfifo', [file]);
  await vi.waitFor(() => expect(lines.some((line) => line.includes('(not a regular file)'))).toBe(true), 15_000);
  expect((await protectedApp.send(old.sign(claims({ jti: 'after' })))).status).toBe(200);
});

test('a file that many protected app read warns of nothing', async () => {
  const warnings: string[] = [];
  const listen = ({ message }: Error) => void warnings.push(message);
  process.on('warning', listen);
  onTestFinished(() => void process.off('warning', listen));
  const { open } = await setUp();
  for (let i = 0; i < 20; i += 1) open();
  await new Promise(setImmediate);
  expect(warnings).toEqual([]);
});
