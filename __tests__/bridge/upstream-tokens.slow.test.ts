import { describe, expect, onTestFinished, test } from 'vitest';
import { getUpstreamToken, mcpBackend, mcpHttpBackend, mcpStdioBackend } from '../../src/index.js';
import { callText, initialize, open, post, statelessText } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { startUpstreamServer, USER_TOKENS, type UserTokens } from '../support/user-tokens.js';

const CHILD = { command: NODE, args: [SCRIPTED] };
const META = 'example.com/token';

type Backend = ReturnType<typeof mcpBackend> | ReturnType<typeof mcpStdioBackend> | ReturnType<typeof mcpHttpBackend>;

/** Two users of a backend behind `mcpAuth()`. */
async function serve(start: () => Promise<UserTokens>, create: () => Backend, policy: Record<string, unknown> = {}) {
  const tokens = await start();
  const server = await startUpstreamServer({ ...tokens.policy, ...policy });
  const backend = create();
  onTestFinished(() => backend.close());
  server.app.use('/mcp', backend);
  const as = (user: string) => ({ authorization: `Bearer ${tokens.issue(user)}` });
  const repositoriesOf = async (token: unknown) =>
    (await fetch(tokens.api, { headers: { authorization: `Bearer ${token}` } })).json();
  return { ...server, tokens, as, repositoriesOf };
}

const ofUser = (user: string) => [{ full_name: `${user}/notes` }];

describe.each(USER_TOKENS)('%s', (_name, start) => {
  const env = async (auth: Parameters<typeof getUpstreamToken>[0]) => ({ API_TOKEN: await getUpstreamToken(auth) });

  test.each([
    ['mcpStdioBackend()', () => mcpStdioBackend({ ...CHILD, env, inheritEnv: [] })],
    ['mcpBackend() with one program', () => mcpBackend({ targets: { notes: { ...CHILD, env } } })],
    ['mcpBackend() without sessions', () => mcpBackend({ targets: { notes: { ...CHILD, env } }, sessions: false })],
  ])('env of %s: each child has that of its user', async (_backend, create) => {
    const { url, as, repositoriesOf, tokens } = await serve(start, create);
    const users = [
      ['ada', as('ada')],
      ['bob', as('bob')],
    ] as const;
    const texts = await Promise.all(
      users.map(async ([user, headers]) => {
        const text = await callText(url, await openAny(url, headers), 'env');
        expect(await repositoriesOf(JSON.parse(text).API_TOKEN)).toEqual(ofUser(user));
        return text;
      }),
    );
    expect(tokens.all()).toHaveLength(2);
    expect(tokens.all().map((token) => texts.filter((text) => text.includes(token)).length)).toEqual([1, 1]);
  });

  test('requestMeta: each request has that of its sender, with sessions and without', async () => {
    const requestMeta = async (auth: Parameters<typeof getUpstreamToken>[0]) => ({
      [META]: await getUpstreamToken(auth),
    });
    const create = () => mcpStdioBackend({ ...CHILD, env: { STATELESS: '1' }, requestMeta });
    const { url, as, repositoriesOf } = await serve(start, create);
    const [ada, bob] = [as('ada'), as('bob')];
    const texts = await Promise.all([callText(url, await open(url, ada), 'meta'), statelessText(url, 'meta', {}, bob)]);
    const found = await Promise.all(texts.map((text) => repositoriesOf(JSON.parse(text)[META])));
    expect(found).toEqual([ofUser('ada'), ofUser('bob')]);
  });

  test('headers of mcpHttpBackend(), which get the request', async () => {
    const target = await startRecordingTarget();
    const create = () =>
      mcpHttpBackend({
        url: target.url,
        headers: async (_auth, req) => ({ authorization: `Bearer ${await getUpstreamToken(req)}` }),
      });
    const { url, as, tokens, repositoriesOf } = await serve(start, create);
    await Promise.all(['ada', 'bob'].map(async (user) => (await post(url, initialize(), as(user))).text()));
    const sent = target.arrived.map(({ headers }) => headers.authorization?.slice('Bearer '.length));
    expect(sent.toSorted()).toEqual([...tokens.all()].toSorted());
    const owners = await Promise.all(sent.map(repositoriesOf));
    expect(owners).toEqual(expect.arrayContaining([ofUser('ada'), ofUser('bob')]));
  });

  test('several targets: a program and a remote server', async () => {
    const target = await startRecordingTarget();
    const headers = async (auth: Parameters<typeof getUpstreamToken>[0]) => ({
      'x-api-token': await getUpstreamToken(auth),
    });
    const create = () => mcpBackend({ targets: { notes: { ...CHILD, env }, search: { url: target.url, headers } } });
    const { url, as, tokens, repositoriesOf } = await serve(start, create);
    const sessions = await Promise.all(['ada', 'bob'].map((user) => open(url, as(user))));
    const texts = await Promise.all(sessions.map((session) => callText(url, session, 'notes_env')));
    const found = await Promise.all(texts.map((text) => repositoriesOf(JSON.parse(text).API_TOKEN)));
    expect(found).toEqual([ofUser('ada'), ofUser('bob')]);
    const sent = new Set(target.arrived.map((arrived) => arrived.headers['x-api-token']));
    expect(sent).toEqual(new Set(tokens.all()));
  });

  test('without such a function, neither a child nor a remote server gets it, and no log has it', async () => {
    const target = await startRecordingTarget();
    const create = () =>
      mcpBackend({
        targets: { notes: CHILD, search: { url: target.url, callerToken: { issuer: 'https://us.example' } } },
      });
    const { url, as, tokens, lines } = await serve(start, create);
    const session = await open(url, as('ada'));
    const seen = [await callText(url, session, 'notes_env'), await callText(url, session, 'notes_raw'), target.bytes()];
    const all = [...seen, ...lines].join('\n');
    expect(all).toContain('"method":"tools/call"');
    const secrets = [...tokens.all(), String(session.authorization).slice('Bearer '.length)];
    for (const secret of secrets) expect(all).not.toContain(secret);
  });

  test('an anonymous caller: the request fails, and the log says why', async () => {
    const { lines, logger } = await startUpstreamServer({ ...(await start()).policy });
    const create = () => mcpStdioBackend({ ...CHILD, env, logger });
    const { url } = await serve(start, create, { mode: 'optional' });
    expect((await post(url, initialize())).status).toBe(503);
    expect(lines.join('\n')).toContain('UpstreamTokenError: getUpstreamToken(): the caller is anonymous');
  });
});

/** Opens a session, if the server gives one out. */
async function openAny(url: string, headers: Readonly<Record<string, string>>) {
  const response = await post(url, initialize(), headers);
  expect(response.status).toBe(200);
  await response.text();
  const id = response.headers.get('mcp-session-id');
  return { ...headers, ...(id !== null && { 'mcp-session-id': id }) };
}
