import { afterEach, describe, expect, test, vi } from 'vitest';
import { fresh, MINUTE, passTime, signer } from '../support/app-with-key-server.js';
import { createProtectedApp, expectInvalidToken, ISSUER } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';

afterEach(() => void vi.useRealTimers());

const unreadable = Object.defineProperty(new Error('x'), 'message', {
  get() {
    throw new Error('unreadable');
  },
});

const ERRORS: [what: string, thrown: unknown, reason: (who: string) => string][] = [
  ['an error', new TypeError('vault: permission denied'), () => 'TypeError: vault: permission denied'],
  ['an error of two lines', new Error('a\nb'), () => 'Error: a\\u000ab'],
  ['a text', 'broken', (who) => `Error: ${who} failed`],
  ['nothing', undefined, (who) => `Error: ${who} failed`],
  ['an error that cannot be read', unreadable, (who) => `Error: ${who} failed`],
];

describe.each(ERRORS)('a function that throws %s is in the log once a minute', (_what, thrown, reason) => {
  const { lines, logger } = createRecordingLogger();
  const fail = () => {
    throw thrown;
  };

  test('as jwks, after it worked once', async () => {
    lines.length = 0;
    let jwks: () => unknown = () => keys;
    const keys = { keys: [signer.jwk] };
    const { send } = createProtectedApp({ jwks: () => jwks(), logger }, signer);
    const known = fresh();
    expect((await send(known)).status).toBe(200);
    jwks = fail;
    const line = `error key set of ${ISSUER}: its function failed: ${reason('jwks()')}`;
    const failures = () => lines.filter((each) => each.includes('its function'));
    for (const token of [known, fresh()]) expect((await send(token)).status).toBe(503);
    expect(failures()).toEqual([line]);
    passTime(MINUTE + 1);
    for (const _ of [1, 2]) expect((await send(fresh())).status).toBe(503);
    expect(failures()).toEqual([line, line]);
  });

  test('as jwks, if nothing but ready() calls it', async () => {
    lines.length = 0;
    let jwks: () => unknown = () => ({ keys: [signer.jwk] });
    const { auth } = createProtectedApp({ jwks: () => jwks(), logger }, signer);
    jwks = fail;
    for (const _ of [1, 2]) expect(await auth.ready()).toBe(false);
    expect(lines).toEqual([`error key set of ${ISSUER}: its function failed: ${reason('jwks()')}`]);
  });

  test('as a rule of revoke(), which then refuses', async () => {
    lines.length = 0;
    const { auth, send } = createProtectedApp({ logger }, signer);
    auth.revoke(fail);
    for (const _ of [1, 2]) expectInvalidToken(await send(fresh()), 'The token has been revoked');
    const line = `error mcpAuth(): a function that revoke() was given failed, so the token is refused: ${reason('revoke()')}`;
    expect(lines.filter((each) => each.startsWith('error'))).toEqual([line]);
  });
});
