import { expect, test } from 'vitest';
import { unreachableUrl } from '../support/loopback-server.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, post, postStateless, statelessCall, statelessText } from '../support/mcp-requests.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const BOB = { authorization: 'Bearer bob' };

test('a call without a session starts the program of its own target only, once the revisions are known', async () => {
  const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
  const { url, backend } = await serveTargets({ targets: { one: plain, two: plain } });
  // All targets say which revisions they speak.
  expect(await statelessText(url, 'one_echo', {}, ADA)).toBe('plain {}');
  expect(backend.stats().connections).toBe(2);
  expect(await statelessText(url, 'two_echo', {}, BOB)).toBe('plain {}');
  expect(backend.stats().connections).toBe(3);
});

test.each([
  ['two_mirrored', 'eu', 200],
  ['two_mirrored', 'us', 400],
  ['one_mirrored', 'us', 400],
  ['one_echo', 'us', 200],
])('parameters that %s expects in headers are compared: %s gets %i', async (name, region, status) => {
  const scripted = { command: NODE, args: [SCRIPTED], env: { STATELESS: '1' } };
  const { url } = await serveTargets({ targets: { one: scripted, two: scripted } });
  // The list of another target is known already.
  await statelessText(url, 'one_pid', {}, ADA);
  const response = await postStateless(url, statelessCall(1, name, { region: 'eu' }), {
    ...ADA,
    'mcp-param-region': region,
  });
  expect(response.status).toBe(status);
});

test.each([
  ['of 2026-07-28', {}, (url: string) => postStateless(url, statelessCall(1, 'one_echo'), ADA)],
  ['with sessions: false', { sessions: false }, (url: string) => post(url, call(1, 'one_echo'), ADA)],
])(
  'requests %s, of which one target cannot be opened, leave no program and no place behind',
  async (_how, options, ask) => {
    const plain = { command: NODE, args: [fixture('plain-target.mjs')] };
    const targets = { one: plain, two: { url: await unreachableUrl() } };
    const { url, backend } = await serveTargets({ targets, maxSessions: 1, maxSessionsPerUser: 1, ...options });
    for (let attempt = 0; attempt < 2; attempt++) {
      const response = await ask(url);
      expect([response.status, await reasonOf(response)]).toEqual([502, 'target_unreachable']);
      await until(() => backend.stats().connections === 0);
    }
  },
);
