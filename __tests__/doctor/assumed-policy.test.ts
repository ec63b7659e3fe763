import { expect, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe } from '../../src/doctor/probe.js';
import { goodToken, lineOf, replyingWhere, startFaultyServer } from '../support/faulty-server.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';

async function linesFor(url: string, token: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const finding of diagnose({ url, token }, createProbe(url))) lines.push(lineOf(finding));
  return lines;
}

/** The upstream issuer writes these claims into tokens; the metadata of the MCP server does not mention them. */
async function startProxied() {
  const { upstream, guarded } = await startOAuthProxyFlow('keycloak');
  const claims = { iss: upstream.issuer, aud: 'mcp_proxy', sub: 'alice', scope: 'mcp.read', exp: 2e9 };
  const sign = (changes: object = {}) => upstream.sign({ ...claims, ...changes });
  return { url: guarded.resource, issuer: upstream.issuer, sign };
}

test('a token of the upstream issuer has no fault if the server behind the OAuth proxy accepts it', async () => {
  const { url, issuer, sign } = await startProxied();
  const lines = await linesFor(url, sign());
  expect(lines.filter((line) => !line.startsWith('✓'))).toEqual([]);
  expect(lines).toContain('✓ token: accepted (200)');
  expect(lines).toContain(`✓ token iss: "${issuer}", expected ${url}; the server accepts it`);
  expect(lines).toContain(`✓ token aud: "mcp_proxy", expected ${url}; the server accepts it`);
});

test.each([
  ['an expired token', { exp: 1e9 }, '✗ token time: expired'],
  ['a token for another audience', { aud: 'other' }, '✗ token aud: "other", expected http'],
  [
    'a token of another issuer',
    { iss: 'https://other.example' },
    '✗ token iss: "https://other.example", expected http',
  ],
])('behind the OAuth proxy, %s is refused for what the server says alone', async (_what, changes, expected) => {
  const { url, sign } = await startProxied();
  const lines = await linesFor(url, sign(changes));
  const faults = lines.filter((line) => line.startsWith('✗'));
  expect(faults).toEqual([expect.stringMatching(/^✗ token: refused with 401: /), expect.stringContaining(expected)]);
});

test('a mismatch with the metadata alone is no fault if the server says nothing about the token', async () => {
  const before = replyingWhere({ status: 503 }, (authorization) => authorization !== undefined);
  const server = await startFaultyServer({ before });
  const { issuer, url, signer } = server;
  const token = signer.sign({ iss: `${issuer}/`, aud: url, exp: 2e9, scope: 'mcp:call' });
  const bad = (await linesFor(url, token)).filter((line) => !line.startsWith('✓'));
  expect(bad).toEqual([
    expect.stringMatching(/^✗ answer with the token: 503\. /),
    expect.stringMatching(/^! token iss: .* This is by the metadata and the defaults; the server did not say so\./),
  ]);
  expect((await linesFor(url, goodToken(server))).filter((line) => line.startsWith('✗'))).toHaveLength(1);
});
