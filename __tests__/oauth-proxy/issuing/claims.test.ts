import { expect, test } from 'vitest';
import { refreshAt, startIssuingFlow, tokensOf } from '../../support/issuing-flow.js';

const github = { scopes: ['read:org'] };

/** Names of organizations, of so many characters each. */
const namesOf = (count: number, length: number) => Array.from({ length: count }, (_, i) => `${i}`.padEnd(length, 'o'));

const LEFT_OUT =
  /^warn OAuth proxy: the token of the account "\d+" has no claim "organizations", which is too long for it; allow sees it/;

test.each<[count: number, length: number, tokenPadding: number, isIn: boolean]>([
  [20, 10, 0, true],
  [21, 10, 0, true],
  [100, 30, 0, true],
  [1, 300, 0, true],
  // GitHub's own limits: 100 on the page that is read, and 39 characters.
  [100, 39, 0, true],
  [100, 60, 0, false],
  // The user's own token takes room too.
  [60, 39, 1_000, true],
  [60, 39, 2_000, false],
])(
  '%d organizations of %d characters, and a token of the user that is %d longer: in our tokens: %s',
  async (count, length, tokenPadding, isIn) => {
    const organizations = namesOf(count, length);
    const seen: unknown[] = [];
    const allow = (profile: Record<string, unknown>) => {
      seen.push(profile.organizations);
      return true;
    };
    const behaviour = { organizations, tokenPadding };
    const { server, client } = await startIssuingFlow(behaviour, { github: { ...github, allow } });
    const claimsIn = async (token: unknown) => (await server.call(token)).body.payload as Record<string, unknown>;
    const { status, body } = await tokensOf(client);
    expect([status, body.error]).toEqual([200, undefined]);
    expect((await claimsIn(body.access_token)).organizations).toEqual(isIn ? organizations : undefined);
    const newer = (await refreshAt(server, client, body.refresh_token)).body;
    expect(await claimsIn(newer.access_token)).toMatchObject({ login: 'octocat', ...(isIn ? { organizations } : {}) });
    expect(seen, 'allow sees all').toEqual([organizations, organizations]);
    const lines = server.lines.filter((line) => line.includes('no claim'));
    expect(lines, 'once a minute').toEqual(isIn ? [] : [expect.stringMatching(LEFT_OUT)]);
  },
);

test('a token that is refused, since it is too long without lists too, has no line about a claim', async () => {
  const behaviour = { organizations: namesOf(60, 39), tokenPadding: 6_000 };
  const { server, client } = await startIssuingFlow(behaviour, { github });
  expect((await tokensOf(client)).body.error).toBe('server_error');
  expect(server.lines.filter((line) => line.includes('no claim'))).toEqual([]);
});

test.each<[number, boolean]>([
  [255, true],
  [257, false],
])('a name of %d characters is in our tokens: %s', async (length, isIn) => {
  const { upstream, server, client } = await startIssuingFlow();
  const name = 'n'.repeat(length);
  upstream.state.profile = { name, email: null };
  const { body } = await tokensOf(client);
  const { name: claim, login } = (await server.call(body.access_token)).body.payload as Record<string, unknown>;
  expect([claim, login]).toEqual([isIn ? name : undefined, 'octocat']);
  expect(server.lines.filter((line) => line.includes('has no claim "name"'))).toHaveLength(isIn ? 0 : 1);
  expect(server.lines.join('\n'), 'a claim that an account does not have').not.toContain('"email"');
});
