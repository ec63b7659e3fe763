import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { CLIENT, logIn, startIdentityFlow } from '../support/identity-flow.js';
import { ALICE, BOB, type ImitatedUser } from '../support/identity-logins.js';
import { SECRET } from '../support/oauth-proxy-flow.js';
import { endPrograms } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { REPOSITORY_SERVERS } from '../support/repository-servers.js';
import { SDK_USERS, userOfV1 } from '../support/sdk-users.js';

afterAll(endPrograms);

type Start = (typeof REPOSITORY_SERVERS)[number][1];

/** Starts a server of this kind behind the login at GitHub, with everything that it logs. */
async function startServer(start: Start) {
  const { lines, logger } = createRecordingLogger();
  const decisions: string[] = [];
  const onDecision = (decision: unknown) => void decisions.push(JSON.stringify(decision));
  const server = await start(logger);
  const settings = { allow: () => true, scopes: ['repo'] };
  const flow = await startIdentityFlow('GitHub', settings, { onDecision, logger }, server.handler);
  return { flow, server, decisions, logs: () => [...lines, ...decisions, server.log()].join('\n') };
}

type Started = Awaited<ReturnType<typeof startServer>>;

/** Logs in a user: the tokens of this server, and that of GitHub. */
async function tokensOf({ flow }: Started, user: ImitatedUser) {
  const { answer } = await logIn(flow, user);
  const { authorization = '' } = flow.upstream.requests.findLast(({ path }) => path === '/user')?.headers ?? {};
  const { access_token: access, refresh_token: refresh } = answer.body as Record<string, string>;
  return { access: `${access}`, refresh: `${refresh}`, upstream: authorization.replace('Bearer ', '') };
}

const namesIn = (text: string) => (JSON.parse(text) as { full_name: string }[]).map((each) => each.full_name);
const OWN = { alice: ['alice/notes', 'alice/diary'], bob: ['bob/notes', 'bob/diary'] };

describe.each(REPOSITORY_SERVERS)('a tool behind %s', (_name, start) => {
  test.each(SDK_USERS)('lists each user’s own repositories, for two users of %s at once', async (_sdk, connect) => {
    const started = await startServer(start);
    const { flow, server, decisions, logs } = started;
    const alice = await tokensOf(started, ALICE);
    const bob = await tokensOf(started, BOB);
    const { resource } = flow.guarded;
    const users = await Promise.all(
      [alice, bob].map(({ access }, i) => connect(resource, `user ${i}`, { authorization: `Bearer ${access}` })),
    );
    onTestFinished(async () => void (await Promise.all(users.map((user) => user.close()))));
    const calls = Array.from({ length: 6 }, (_, i) => users[i % 2]?.call(server.tool, {}) as Promise<string>);
    const lists = (await Promise.all(calls)).map(namesIn);
    expect(lists).toEqual([OWN.alice, OWN.bob, OWN.alice, OWN.bob, OWN.alice, OWN.bob]);

    expect(decisions.join('\n')).toContain(`"subject":"${ALICE.number}"`);
    for (const secret of [...Object.values(alice), ...Object.values(bob), CLIENT.secret, SECRET]) {
      expect(secret).not.toBe('');
      expect(logs()).not.toContain(secret);
    }
    // A remote server gets the user's own token in one header of its user's requests, and no token of this server.
    const bytes = server.bytes().replaceAll(/^x-user-token: gho_\w+\r$/gm, '');
    expect(bytes).not.toMatch(/emat_|gho_/);
  });
});

test.each([
  ['the stdio bridge', ['"method":"tools/call"'], /^$/],
  ['a remote target', ['"method":"tools/call"', 'authorization: none'], /^x-user-token: gho_\w+\r$/m],
])('the logs that were searched have what %s got', async (name, written, sent) => {
  const started = await startServer(new Map(REPOSITORY_SERVERS).get(name) ?? expect.fail(name));
  const { access } = await tokensOf(started, ALICE);
  const user = await userOfV1(started.flow.guarded.resource, 'alice', { authorization: `Bearer ${access}` });
  onTestFinished(() => user.close());
  await user.call(started.server.tool, {});
  for (const text of written) expect(started.logs()).toContain(text);
  expect(started.server.bytes()).toMatch(sent);
});
