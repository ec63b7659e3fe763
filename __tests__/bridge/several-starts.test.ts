import { expect, test } from 'vitest';
import { postStateless, statelessCall, statelessText } from '../support/mcp-requests.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE, SCRIPTED } from '../support/stdio-bridge.js';

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
