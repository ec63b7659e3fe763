import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { createProbe } from '../../src/doctor/probe.js';
import { checkToken } from '../../src/doctor/token-check.js';
import { type AuthDecision, type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve, unreachableUrl } from '../support/loopback-server.js';
import { ISSUER, jwks, NOW, signer, TOKEN_ROWS, type TokenRow, type Verdict } from '../support/token-rows.js';

beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW * 1000 }));
afterAll(() => void vi.useRealTimers());

describe.each([...TOKEN_ROWS])('mcpAuth() and the doctor judge alike: %s', (_group, rows) => {
  test.each([...rows])('%s', async (_what, policy, makeToken, expected) => {
    const server = await startServer(policy);
    const token = makeToken((changes = {}, header = {}, by = signer) => {
      const claims = { iss: ISSUER, aud: server.resource, sub: 'alice', iat: NOW, exp: NOW + 60, ...changes };
      return by.sign(claims, header);
    }, server.resource);
    expect(await server.verdicts(token)).toEqual({ mcpAuth: expected, doctor: expected });
  });
});

describe('mcpAuth() and the doctor judge the tokens of a listening issuer alike', () => {
  const issuer = createTestIssuer();
  beforeAll(() => issuer.listen());
  afterAll(() => issuer.close());

  test.each<[what: string, makeToken: (resource: string) => string, expected: Verdict]>([
    ['a good token', () => issuer.token(), 'accepted'],
    ['an expired one', () => issuer.expiredToken(), 'token_expired'],
    ['a forged one', () => issuer.forgedToken(), 'bad_signature'],
    ['one for another audience', (resource) => issuer.tokenFor(`${resource}-x`), 'wrong_audience'],
  ])('%s', async (_what, makeToken, expected) => {
    const server = await startServer((resource) => ({ ...issuer.policy({ resource }) }));
    expect(await server.verdicts(makeToken(server.resource))).toEqual({ mcpAuth: expected, doctor: expected });
  });

  test('warns of keys that cannot be fetched, and still explains the claims', async () => {
    const server = await startServer({ jwks: { url: await unreachableUrl() } });
    const findings = await server.explain(signer.sign({ iss: ISSUER, aud: 'x', exp: NOW + 60 }));
    expect(findings.filter(({ code }) => code !== undefined)).toMatchObject([
      { step: 'token signature', status: 'warning', code: 'key_set_unavailable' },
      { step: 'token aud', status: 'fault', code: 'wrong_audience' },
    ]);
  });
});

/** Starts a server with this policy, and a doctor with the same policy. */
async function startServer(changes: TokenRow[1]) {
  const decisions: AuthDecision[] = [];
  let policy: McpAuthOptions | undefined;
  let auth: ReturnType<typeof mcpAuth> | undefined;
  const origin = await serve((req, res) =>
    auth?.(req, res, (error) => void res.writeHead(error ? 503 : 200).end('{}')),
  );
  const resource = `${origin}/mcp`;
  const base = { issuer: ISSUER, jwks, resourceMetadata: { resource } };
  policy = { ...base, ...(typeof changes === 'function' ? changes(resource) : changes) } as McpAuthOptions;
  auth = mcpAuth({ ...policy, onDecision: (decision) => void decisions.push(decision) });

  const explain = (token: string) =>
    checkToken(createProbe(resource), {
      url: resource,
      token,
      policy: resolveAuth('doctor', policy),
      isAssumed: false,
      keyUrls: [],
    });
  async function verdicts(token: string): Promise<{ mcpAuth: Verdict | undefined; doctor: Verdict }> {
    await fetch(resource, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    const [{ outcome, code } = {}] = decisions;
    const mine = outcome === 'passed' ? 'accepted' : (code as Verdict);
    return { mcpAuth: mine, doctor: firstCode(await explain(token)) };
  }
  return { resource, explain, verdicts };
}

/** The doctor's own verdict, without that of the server. */
function firstCode(findings: readonly Finding[]): Verdict {
  return findings.find(({ code }) => code !== undefined)?.code ?? 'accepted';
}
