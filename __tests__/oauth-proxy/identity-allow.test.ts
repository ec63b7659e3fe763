import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { withLoginRules } from '../../src/gateway/config/login-rules.js';
import { getAuth } from '../../src/index.js';
import type { GithubServer } from '../support/github-server.js';
import { IDENTITY_KINDS, type IdentityKindName, logIn, refresh, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE, BOB } from '../support/identity-logins.js';
import { initialize, post } from '../support/mcp-requests.js';

const NAMES = Object.keys(IDENTITY_KINDS) as IdentityKindName[];

const REFUSED = {
  status: 400,
  body: { error: 'invalid_grant', error_description: 'This account may not use this server' },
};

describe.each(NAMES)('%s', (name) => {
  test('a user outside the organisation is refused, and the log says who', async () => {
    const flow = await startIdentityFlow(name);
    const { answer } = await logIn(flow, BOB);
    expect(answer).toMatchObject(REFUSED);
    const [line] = flow.lines.filter((each) => each.includes('may not use this server'));
    expect(line).toContain(flow.kind.subjectOf(BOB));
    expect(line).toContain(`provider.${flow.kind.option}.allow`);
    const { headers, host } = flow.upstream.requests.find(({ path }) => path === flow.kind.paths.profile) ?? {};
    const token = headers?.authorization?.slice('Bearer '.length) ?? '-';
    expect(flow.lines.join('\n')).not.toContain(token);
    // Its token is of no use here, and revoked.
    const url = `https://${host}${flow.kind.paths.profile}`;
    await expect
      .poll(async () => (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status)
      .toBe(401);
  });

  test('a refused code that is sent again is refused for the same reason', async () => {
    const flow = await startIdentityFlow(name);
    const { client, answer, code } = await logIn(flow, BOB);
    expect(answer).toMatchObject(REFUSED);
    expect(await client.token({ code })).toMatchObject(REFUSED);
  });

  test('is asked again at a refresh', async () => {
    let isAllowed = true;
    const flow = await startIdentityFlow(name, { allow: () => isAllowed });
    const { client, answer } = await logIn(flow);
    const second = await refresh(flow, client, answer);
    expect(second.status).toBe(200);
    isAllowed = false;
    expect(await refresh(flow, client, second)).toMatchObject(REFUSED);
  });
});

test.each<[string, () => unknown, boolean]>([
  ['throws', () => JSON.parse('secret-of-the-rule'), false],
  ['rejects', () => Promise.reject(new TypeError('no')), false],
  ['returns nothing', () => undefined, true],
  ['returns a text', () => 'yes', true],
  ['returns 1', () => 1, true],
  ['resolves to an object', async () => ({ allowed: true }), true],
  ['returns false', () => false, true],
])('the login is refused if the function allow %s; is the token revoked?', async (_case, allow, isRevoked) => {
  const flow = await startIdentityFlow('GitHub', { allow });
  expect((await logIn(flow)).answer).toMatchObject(REFUSED);
  // A whole login later, the revocation has arrived.
  expect((await logIn(flow)).answer).toMatchObject(REFUSED);
  expect(flow.upstream.requests.some(({ method }) => method === 'DELETE')).toBe(isRevoked);
});

test('a function allow cannot change what the token says', async () => {
  let claims: Record<string, unknown> | undefined;
  const allow = (profile: Record<string, unknown>) => {
    profile.login = 'root';
    return true;
  };
  const flow = await startIdentityFlow('GitHub', { allow }, {}, (req, res) => {
    claims = getAuth(req)?.payload;
    res.json({});
  });
  const { answer } = await logIn(flow);
  await post(flow.guarded.resource, initialize(), { authorization: `Bearer ${answer.body.access_token}` });
  expect(claims).toMatchObject({ sub: '583231', login: 'alice', organizations: ['acme'] });
});

test('dangerouslyAllowEveryone allows everyone, and warns at start', async () => {
  const settings = { allow: undefined, dangerouslyAllowEveryone: true };
  const flow = await startIdentityFlow('GitHub', settings);
  expect(flow.lines.filter((line) => line.startsWith('warn'))).toEqual([
    'warn mcpAuth(): provider.github.dangerouslyAllowEveryone is true: everyone with an account at GitHub can log in and use this server',
  ]);
  for (const user of [ALICE, BOB]) expect((await logIn(flow, user)).answer.status).toBe(200);
});

test('a user who says no at the identity provider comes back to the client with access_denied', async () => {
  for (const name of NAMES) {
    const flow = await startIdentityFlow(name);
    const error = await logIn(flow, { ...ALICE, login: 'not-listed' }).catch((thrown: Error) => thrown.message);
    expect(error).toContain('error=access_denied');
    expect(error).toContain('state=mine');
  }
});

describe('what a rule can use', () => {
  const profileAt = async (name: IdentityKindName, settings = {}) => {
    let seen: unknown;
    const allow = (profile: unknown) => {
      seen = profile;
      return true;
    };
    await logIn(await startIdentityFlow(name, { ...settings, allow }));
    return seen;
  };

  test('at GitHub: login, organisations with read:org, the verified email address with user:email', async () => {
    expect(await profileAt('GitHub')).toMatchObject({
      login: 'alice',
      id: ALICE.number,
      organizations: ['acme'],
      email: ALICE.email,
      email_verified: true,
    });
    expect(await profileAt('GitHub', { scopes: [] })).toEqual(expect.objectContaining({ login: 'alice', email: null }));
    expect(await profileAt('GitHub', { scopes: [] })).not.toHaveProperty('organizations');
    expect(await profileAt('a GitHub App')).toMatchObject({ organizations: ['acme'] });
  });

  test('at Google: the domain of the organisation, and the email address', async () => {
    expect(await profileAt('Google')).toMatchObject({ hd: 'acme.example', email: ALICE.email, email_verified: true });
  });

  test('at GitLab: the user name and the groups', async () => {
    expect(await profileAt('GitLab')).toMatchObject({ nickname: 'alice', groups: ['acme', 'acme/tools'] });
  });

  test('at another server: its profile', async () => {
    expect(await profileAt('OAuth2')).toMatchObject({ id: ALICE.number, login: 'alice', organizations: ['acme'] });
  });
});

describe('the email address at a GitHub App', () => {
  const allow = ({ email, email_verified }: Record<string, unknown>) =>
    email_verified === true && String(email).endsWith('@acme.example');
  const settings = { scopes: ['user:email'], allow };

  test('a rule can use it, if the app has the permission and the policy names the scope', async () => {
    const flow = await startIdentityFlow('a GitHub App', settings);
    (flow.upstream as GithubServer).permissions.add('emails');
    const { client, answer } = await logIn(flow);
    expect([answer.status, (await refresh(flow, client, answer)).status], flow.lines.join('\n')).toEqual([200, 200]);
  });

  test('without the permission, a rule on it refuses the account, and the log says once a minute what to do', async () => {
    const flow = await startIdentityFlow('a GitHub App', settings);
    const { permissions } = flow.upstream as GithubServer;
    expect((await logIn(flow)).answer).toMatchObject(REFUSED);
    expect((await logIn(flow)).answer).toMatchObject(REFUSED);
    expect(flow.lines.filter((line) => line.includes('/user/emails'))).toEqual([
      'warn OAuth proxy: GET https://api.github.com/user/emails?per_page=100 failed: it answered with status 403, so profiles lack what it says; a GitHub App needs the account permission "Email addresses" for it',
    ]);
    permissions.add('emails');
    expect((await logIn(flow)).answer.status).toBe(200);
  });

  test('without the permission, a rule that does not need it lets the account log in and refresh', async () => {
    const isAlice = ({ login }: Record<string, unknown>) => login === 'alice';
    const flow = await startIdentityFlow('a GitHub App', { scopes: ['user:email'], allow: isAlice });
    const { client, answer } = await logIn(flow);
    expect([answer.status, (await refresh(flow, client, answer)).status], flow.lines.join('\n')).toEqual([200, 200]);
  });

  test.each<[limit: string, headers: Record<string, string>, message: string]>([
    ['x-ratelimit-remaining: 0', { 'x-ratelimit-remaining': '0' }, 'Forbidden'],
    ['retry-after', { 'retry-after': '60' }, 'Forbidden'],
    ['its message alone', {}, 'You have exceeded a secondary rate limit. Please wait a few minutes.'],
  ])('a limit of GitHub, known by %s, is an outage that ends no login', async (_limit, headers, message) => {
    const flow = await startIdentityFlow('a GitHub App', settings);
    (flow.upstream as GithubServer).permissions.add('emails');
    const limited = (res: ServerResponse) => res.writeHead(403, headers).end(JSON.stringify({ message }));
    const { client, answer } = await logIn(flow);
    flow.upstream.override('/user/emails', limited);
    expect(await refresh(flow, client, answer)).toMatchObject({ status: 503, body: { error: 'server_error' } });
    flow.upstream.override('/user/emails', undefined);
    expect((await refresh(flow, client, answer)).status, flow.lines.join('\n')).toBe(200);
  });

  test('at an OAuth app, which says by scopes what it may read, 403 is an outage', async () => {
    const flow = await startIdentityFlow('GitHub', settings);
    flow.upstream.override('/user/emails', (res) => res.writeHead(403).end('{}'));
    expect((await logIn(flow)).answer.status).toBe(503);
  });
});

test('an expression that reads a misspelled member refuses everyone, and the log names the member once a minute', async () => {
  const policy = { provider: { github: { allow: 'profile.loggin == "alice"' } } };
  const { provider } = withLoginRules(policy) as { provider: { github: Record<string, unknown> } };
  const flow = await startIdentityFlow('GitHub', provider.github);
  expect((await logIn(flow)).answer).toMatchObject(REFUSED);
  expect((await logIn(flow, BOB)).answer).toMatchObject(REFUSED);
  const lines = flow.lines.filter((line) => line.includes('loggin'));
  expect(lines).toEqual([
    expect.stringMatching(
      /^warn OAuth proxy: provider\.github\.allow reads "loggin", which the profile of an account does not have/,
    ),
  ]);
  expect(lines.join()).not.toContain('alice');
});
