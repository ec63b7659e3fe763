import { afterAll, describe, expect, test } from 'vitest';
import { asUser, type IdentityFlow, type IdentityKindName, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE, BOB } from '../support/identity-logins.js';
import { endPrograms } from '../support/program.js';
import { folderOfTest, inspector, loginWith, python, type Visit } from './clients.js';

afterAll(endPrograms);

const NAMES: readonly IdentityKindName[] = ['GitHub', 'a GitHub App', 'Google', 'GitLab'];

function visitOf({ guarded }: IdentityFlow, user = ALICE): Visit {
  return { url: guarded.resource, folder: folderOfTest(), logIn: loginWith(asUser(user)) };
}

const fastMcp = python('fastmcp-login-client.py');

describe.each([
  ['FastMCP', fastMcp],
  ['MCP Inspector', inspector],
])('%s', (_name, run) => {
  test.each(NAMES)('registers, logs in at %s, calls a tool, and refreshes', async (name) => {
    const flow = await startIdentityFlow(name);
    expect(await run(visitOf(flow))).toContain('mcp.read');
    const { requests } = flow.upstream;
    // Without a refresh token there, the profile shows if the login is still good.
    const isRefresh = ({ form }: (typeof requests)[number]) => form.get('grant_type') === 'refresh_token';
    const profiles = requests.filter(({ path }) => path === flow.kind.paths.profile);
    expect(requests.filter(isRefresh).length).toBe(flow.kind.refresh === 'none' ? 0 : 1);
    expect(profiles.length).toBe(2);
    expect(flow.lines.filter((line) => /gh[our]_|ya29|emat_/.test(line))).toEqual([]);
  });
});

test('FastMCP is told that a user without the organisation may not use the server', async () => {
  const flow = await startIdentityFlow('GitHub');
  await expect(fastMcp(visitOf(flow, BOB))).rejects.toThrow('This account may not use this server');
});
