import express from 'express';
import request from 'supertest';
import { afterEach, expect, test, vi } from 'vitest';
import { createProofIds } from '../../src/auth/binding/proof-ids.js';
import { createRevocations } from '../../src/auth/token/revocations.js';
import { SILENT } from '../../src/core/logger.js';
import { createRegistrationLimit, limitRegistrations } from '../../src/gateway/registration-limit.js';
import type { AuthDecision, AuthInfo } from '../../src/index.js';
import { fresh, MINUTE, passTime, setDate, setUp, signer, stopTime } from '../support/app-with-key-server.js';
import { claims, createProtectedApp } from '../support/protected-app.js';

const HOUR = 60 * MINUTE;

afterEach(() => void vi.useRealTimers());

test.each([-5, 5])('a key server is asked again when it is time, though the date moves by %d hours', async (hours) => {
  const { server, protectedApp } = await setUp();
  server.answer((res) => void res.writeHead(500).end());
  expect((await protectedApp.send(fresh())).status).toBe(503);
  server.answer([signer.jwk]);
  setDate(hours * HOUR);
  passTime(31_000);
  expect((await protectedApp.send(fresh())).status).toBe(200);
});

test.each([-5, 5])('a token is remembered for as long, though the date moves by %d hours', async (hours) => {
  stopTime();
  const cached: boolean[] = [];
  const onDecision = (decision: AuthDecision) => cached.push(decision.cached);
  const protectedApp = createProtectedApp({ onDecision, tokenCache: { maxAgeSeconds: 60 } }, signer);
  const token = signer.sign(claims({ exp: Date.now() / 1_000 + 1_000_000 }));
  await protectedApp.send(token);
  setDate(hours * HOUR);
  passTime(50_000);
  await protectedApp.send(token);
  passTime(11_000);
  await protectedApp.send(token);
  expect(cached).toEqual([false, true, false]);
});

test('a token stays revoked, though the date was wrong for a while', () => {
  const [revoked, other] = [1, 2].map((jti) => signer.sign(claims({ jti }))) as [string, string];
  const revocations = createRevocations(0);
  revocations.add(revoked);
  setDate(5 * HOUR);
  revocations.add(other);
  setDate(-5 * HOUR);
  expect(revocations.includes({ token: revoked, header: { alg: 'ES256' }, payload: {} } as unknown as AuthInfo)).toBe(
    true,
  );
});

test('a used proof stays used if the date is set back, and takes no room from later ones', () => {
  const ids = createProofIds(90, { total: 10, each: 3 });
  expect(ids.isFirst('a', 'before')).toBe(true);
  setDate(-5 * HOUR);
  for (const jti of ['1', '2']) expect(ids.isFirst('a', jti)).toBe(true);
  passTime(91_000);
  expect(ids.isFirst('a', '3')).toBe(true);
  expect(ids.isFirst('a', 'before')).toBe(false);
  passTime(5 * HOUR);
  expect(ids.isFirst('a', 'before')).toBe(true);
});

test('a used proof stays used, though the date was wrong for a while', () => {
  const ids = createProofIds(90);
  expect(ids.isFirst('a', 'before')).toBe(true);
  setDate(5 * HOUR);
  expect(ids.isFirst('a', 'meanwhile')).toBe(true);
  setDate(-5 * HOUR);
  expect(ids.isFirst('a', 'before')).toBe(false);
  passTime(91_000);
  expect(ids.isFirst('a', 'before')).toBe(true);
});

test.each([-5, 5])('registrations are counted for a minute, though the date moves by %d hours', async (hours) => {
  const app = express().use(
    ...limitRegistrations(['/register'], createRegistrationLimit(SILENT)),
    (_req, res) => void res.status(201).end(),
  );
  const register = async () => (await request(app).post('/register')).status;
  for (let count = 0; count < 30; count++) expect(await register()).toBe(201);
  setDate(hours * HOUR);
  expect(await register()).toBe(429);
  passTime(61_000);
  expect(await register()).toBe(201);
});
