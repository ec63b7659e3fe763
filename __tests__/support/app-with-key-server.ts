import { expect, onTestFinished, vi } from 'vitest';
import { type KeyServer, startKeyServer } from './key-server.js';
import { claims, createProtectedApp, type ProtectedApp } from './protected-app.js';
import { createSigner } from './signer.js';

export const UNKNOWN_KEY = 'The token is signed with an unknown key';
export const MINUTE = 60_000;
export const signer = createSigner();

let passedMs = 0;
let stoppedAt: number | undefined;
const elapsed = performance.now.bind(performance);
/** The clock for durations, which never goes back, even if the date does. */
const now = () => (stoppedAt ?? elapsed()) + passedMs;

/** Sets only the date forward or back, as an operator or a time server does. */
export function setDate(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}

/** Moves the date and the clock for durations. Timers, sockets and the key server stay real. */
export function passTime(ms: number): void {
  setDate(ms);
  passedMs += ms;
  performance.now = now;
}

/** Lets both clocks move only by `passTime()` until the test ends, however long it takes. */
export function stopTime(): void {
  stoppedAt = elapsed();
  passTime(0);
  onTestFinished(() => {
    stoppedAt = undefined;
  });
}

/** A token that is valid now, however far the date has been moved. */
export const fresh = (by = signer) => by.sign(claims({ jti: Math.random().toString() }));

export async function setUp(
  options: Record<string, unknown> = {},
): Promise<{ server: KeyServer; protectedApp: ProtectedApp }> {
  const server = await startKeyServer([signer.jwk]);
  return { server, protectedApp: createProtectedApp({ jwks: { url: server.url }, ...options }, signer) };
}

/** Expects 503, and returns its `Retry-After` in seconds. */
export async function expectUnavailable(protectedApp: ProtectedApp, token: string): Promise<number> {
  const response = await protectedApp.send(token);
  expect(response.status).toBe(503);
  expect(response.headers['www-authenticate']).toBeUndefined();
  const seconds = Number(response.headers['retry-after']);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(30);
  return seconds;
}
