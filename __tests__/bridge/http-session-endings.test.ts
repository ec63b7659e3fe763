import { expect, onTestFinished, test } from 'vitest';
import type { CallerTokens } from '../../src/bridge/http/caller-token.js';
import { resolveHttpOptions } from '../../src/bridge/http/http-options.js';
import { RemoteSession } from '../../src/bridge/http/remote-sessions.js';
import { SessionEndings } from '../../src/bridge/http/session-endings.js';
import { HttpTarget } from '../../src/targets/http/http-target.js';
import { startRecordingTarget } from '../support/recording-target.js';

const SENDER = {
  auth: undefined,
  headers: new Map([
    ['authorization', 'Bearer expired'],
    ['x-tenant', 'one'],
  ]),
};

const TOKENS: readonly [how: string, tokens: CallerTokens | undefined, authorization: string][] = [
  ['a new caller token', { authorizationFor: async () => 'Bearer new' }, 'Bearer new'],
  ['the last caller token if none can be made', { authorizationFor: () => Promise.reject() }, 'Bearer expired'],
  ['the headers of the last request if there are no caller tokens', undefined, 'Bearer expired'],
];

test.each(TOKENS)('a session is ended with %s', async (_how, tokens, authorization) => {
  const recording = await startRecordingTarget();
  const target = new HttpTarget(resolveHttpOptions({ url: recording.url }));
  onTestFinished(() => target.close());
  const endings = new SessionEndings(target, tokens);
  endings.begin(new RemoteSession('mine', 'mine', 'ada', SENDER));
  await endings.settle();
  expect(recording.arrived.map(({ method, headers }) => [method, headers])).toMatchObject([
    ['DELETE', { 'mcp-session-id': 'mine', authorization, 'x-tenant': 'one' }],
  ]);
});
