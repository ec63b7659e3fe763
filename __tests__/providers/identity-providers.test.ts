import { describe, expect, test } from 'vitest';
import { createGithub } from '../../src/providers/identity/github.js';
import { createGitlab } from '../../src/providers/identity/gitlab.js';
import { createGoogle } from '../../src/providers/identity/google.js';
import type { UpstreamLogin } from '../../src/providers/identity/identity-provider.js';

describe('GitHub', () => {
  /** The paths of the documents that are read at a login. */
  const readAt = (login: UpstreamLogin) => {
    const readable = createGithub().profile.filter(({ isReadable }) => isReadable?.(login) ?? true);
    return readable.map(({ url }) => url.slice('https://api.github.com'.length));
  };

  test.each([
    [undefined, 'https://github.com', 'https://api.github.com/user'],
    ['https://github.example/', 'https://github.example', 'https://github.example/api/v3/user'],
    ['https://acme.ghe.com', 'https://acme.ghe.com', 'https://api.acme.ghe.com/user'],
    ['https://ghe.com.evil', 'https://ghe.com.evil', 'https://ghe.com.evil/api/v3/user'],
  ])('url %s: login at %s, API at %s', (url, issuer, user) => {
    const github = createGithub(url);
    expect(github).toMatchObject({
      issuer,
      authorizationEndpoint: `${issuer}/login/oauth/authorize`,
      tokenEndpoint: `${issuer}/login/oauth/access_token`,
    });
    expect(github.profile[0]?.url).toBe(user);
    expect(github.revocation?.url('a/b')).toBe(user.replace(/\/user$/, '/applications/a%2Fb/token'));
  });

  test.each<[string, string, string[], string[]]>([
    ['an OAuth app without scopes', 'gho_1', [], ['/user']],
    ['read:org', 'gho_1', ['read:org'], ['/user', '/user/orgs?per_page=100']],
    ['user:email', 'gho_1', ['user:email'], ['/user', '/user/emails?per_page=100']],
    ['user', 'gho_1', ['user'], ['/user', '/user/orgs?per_page=100', '/user/emails?per_page=100']],
  ])('%s: reads what its token may read', (_case, token, scopes, paths) => {
    expect(readAt({ scopes, asked: ['user'], token })).toEqual(paths);
  });

  test.each<[string, string[], string[]]>([
    ['no scopes', [], ['/user', '/user/orgs?per_page=100']],
    ['repo', ['repo'], ['/user', '/user/orgs?per_page=100']],
    ['user:email', ['user:email'], ['/user', '/user/orgs?per_page=100', '/user/emails?per_page=100']],
    ['user', ['user'], ['/user', '/user/orgs?per_page=100', '/user/emails?per_page=100']],
  ])('a GitHub App, which is granted no scopes, and a policy with %s', (_case, asked, paths) => {
    expect(readAt({ scopes: [], asked, token: 'ghu_1' })).toEqual(paths);
  });

  test('splits scopes at commas', () => {
    expect(createGithub().splitScopes('repo,read:org, gist')).toEqual(['repo', 'read:org', 'gist']);
    expect(createGithub().splitScopes('')).toEqual([]);
  });

  test('the user is the number, not the name, which can pass to another account', () => {
    const { subjectOf } = createGithub();
    expect(subjectOf({ id: 583_231, login: 'alice' })).toBe('583231');
    for (const id of [undefined, '1', 1.5, null]) expect(subjectOf({ id, login: 'alice' })).toBeUndefined();
  });

  const [, , emails] = createGithub().profile;
  test.each<[string, unknown, unknown]>([
    [
      'the primary one, if verified',
      [{ email: 'a@b', primary: true, verified: true }],
      { email: 'a@b', email_verified: true },
    ],
    ['none, if the primary one is not verified', [{ email: 'a@b', primary: true, verified: false }], {}],
    ['none, if only another one is verified', [{ email: 'a@b', primary: false, verified: true }], {}],
    ['none, if it is no text', [{ email: 1, primary: true, verified: true }], {}],
    ['none of an empty list', [], {}],
    ['no answer that is no list', { email: 'a@b' }, undefined],
  ])('of the email addresses: %s', (_case, answer, expected) => {
    expect(emails?.read(answer)).toEqual(expected);
  });

  const [, organizations] = createGithub().profile;
  test.each<[string, unknown, unknown]>([
    ['their names', [{ login: 'acme', id: 1 }, { login: 'other' }], { organizations: ['acme', 'other'] }],
    ['those that have one', [{ id: 1 }, null, 'acme', { login: 2 }], { organizations: [] }],
    ['no answer that is no list', { login: 'acme' }, undefined],
  ])('of the organisations: %s', (_case, answer, expected) => {
    expect(organizations?.read(answer)).toEqual(expected);
  });
});

test.each([
  [undefined, 'https://gitlab.com'],
  ['https://gitlab.example/', 'https://gitlab.example'],
  ['https://example.com/gitlab/', 'https://example.com/gitlab'],
])('GitLab at %s: everything is below %s', (url, base) => {
  const { issuer, authorizationEndpoint, tokenEndpoint, idToken, profile, revocation } = createGitlab(url);
  expect({ issuer, authorizationEndpoint, tokenEndpoint, idToken }).toEqual({
    issuer: base,
    authorizationEndpoint: `${base}/oauth/authorize`,
    tokenEndpoint: `${base}/oauth/token`,
    idToken: { issuers: [base], jwksUrl: `${base}/oauth/discovery/keys` },
  });
  expect([profile[0]?.url, revocation?.url('id')]).toEqual([`${base}/oauth/userinfo`, `${base}/oauth/revoke`]);
});

test('a profile without an id names no user, at Google and GitLab', () => {
  for (const { subjectOf } of [createGoogle(), createGitlab()]) {
    expect(subjectOf({ sub: '1' })).toBe('1');
    for (const sub of [undefined, '', 1, null]) expect(subjectOf({ sub, email: 'a@b' })).toBeUndefined();
  }
});
