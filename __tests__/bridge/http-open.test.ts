import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

const callerToken = { issuer: 'https://gateway.example/callers', key: undefined };
const warning = (options: string) =>
  `warn mcpHttpBackend(): anyone can call this MCP server, which trusts the ${options} of this server: a request arrived, and ` +
  'no mcpAuth() is mounted before it. Mount mcpAuth() before it, or set warnWhenOpen to false if something else authenticates the callers';

/** The warnings about an open server after two requests on loopback. */
async function warningsWith(options: object, policy: Record<string, unknown> | null = null, headers = {}) {
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url, options, { policy });
  for (let i = 0; i < 2; i++) await post(remote.url, call(i, 'x'), headers);
  return remote.lines.filter((line) => line.includes('anyone can call'));
}

describe('a backend with credentials and without mcpAuth() warns once, on loopback too', () => {
  test.each<[string, object, string]>([
    ['bearer', { bearer: 'secret' }, 'bearer'],
    ['callerToken', { callerToken }, 'callerToken'],
    ['headers', { headers: { 'x-key': 'secret' } }, 'headers'],
    ['a function', { headers: () => ({}) }, 'headers'],
    ['two of them', { bearer: 'secret', headers: { 'x-key': 'secret' } }, 'bearer and headers'],
  ])('%s', async (_name, options, names) => {
    expect(await warningsWith(options)).toEqual([warning(names)]);
  });

  test('at the first request, even if a proxy forwards it', async () => {
    expect(await warningsWith({ bearer: 'secret' }, null, { 'x-forwarded-for': '203.0.113.7' })).toHaveLength(1);
  });
});

test.each<[string, object, Record<string, unknown> | null]>([
  ['without credentials', {}, null],
  ['with a header that is only removed', { headers: { 'user-agent': undefined } }, null],
  ['behind an mcpAuth() that lets anonymous callers pass', { bearer: 'secret' }, { mode: 'optional' }],
  ['where warnWhenOpen is false', { bearer: 'secret', warnWhenOpen: false }, null],
])('it does not warn on loopback %s', async (_name, options, policy) => {
  expect(await warningsWith(options, policy)).toEqual([]);
});
