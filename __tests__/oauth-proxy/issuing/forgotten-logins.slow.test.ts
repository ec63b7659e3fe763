import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSpentTokens } from '../../../src/oauth-proxy/issuing/spent-tokens.js';
import { createOAuthProxySeal } from '../../../src/oauth-proxy/sealed-contents.js';
import { refreshAt, SECRET, startIssuingFlow, tokensOf } from '../../support/issuing-flow.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

const MAX_LOGINS = 100_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'], now: Date.now() }));
afterEach(() => void vi.useRealTimers());

/** Refreshes so many other logins, in the memory that all OAuth proxies of a process share. */
function refreshOthers(count: number): void {
  const { logger } = createRecordingLogger();
  const spent = createSpentTokens(createOAuthProxySeal([SECRET], []), { store: undefined, logger });
  const issuedAt = Math.floor(Date.now() / 1_000);
  for (let i = 0; i < count; i++) {
    void spent.spend({ login: `other ${issuedAt} ${i}`, generation: 0, issuedAt, endsAt: issuedAt + 86_400 }, '{}');
  }
}

test('a used refresh token stays refused after 100,000 other logins were refreshed, and a later login is not', async () => {
  const { server, client } = await startIssuingFlow({});
  const { body: first } = await tokensOf(client);
  expect((await refreshAt(server, client, first.refresh_token)).status).toBe(200);
  vi.advanceTimersByTime(120_000);
  refreshOthers(MAX_LOGINS);
  const again = await refreshAt(server, client, first.refresh_token);
  expect(again).toMatchObject({
    status: 400,
    body: {
      error: 'invalid_grant',
      error_description: 'This login is no longer remembered, and the user must log in again',
    },
  });
  const { body: later } = await tokensOf(client);
  expect((await refreshAt(server, client, later.refresh_token)).status).toBe(200);
});
