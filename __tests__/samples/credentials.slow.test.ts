import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { blockToRun } from '../support/code-blocks.js';
import { replyJson } from '../support/introspection-server.js';
import { freePort, serve } from '../support/loopback-server.js';
import { run } from '../support/packed-project.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';

afterAll(endPrograms);

/** Starts a sample; resolves to a function that calls it with these headers. */
async function start(name: string, settings: Readonly<Record<string, string>>) {
  const env = { PORT: `${await freePort()}`, ...settings };
  const [, url = ''] = await startNode([`${ROOT}build/samples/credentials/${name}.js`], { env }).says(
    /Listening on (\S+)/,
  );
  return async (headers: Readonly<Record<string, string>>) => {
    const response = await fetch(url, { headers });
    const text = await response.text();
    return { status: response.status, url, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('samples/credentials/api-keys.ts takes keys that the command made, beside tokens', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'api-keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const issuer = createTestIssuer();
  onTestFinished(() => issuer.close());
  const [, ...args] = blockToRun('docs/credentials.md', 'create').trim().split(' ').slice(1);
  const created = await run(process.execPath, [CLI, ...parseWords(args.join(' '))]);
  const [key = '', entry = ''] = created.stdout.split('\n');
  await writeFile(join(folder, 'keys.json'), `[${entry}]`);
  const call = await start('api-keys', { ISSUER: await issuer.listen(), API_KEYS: join(folder, 'keys.json') });
  const expected = { subject: 'ci', scopes: ['notes:read', 'notes:write'] };
  expect((await call(bearer(key))).body).toEqual(expected);
  const { url, body } = await call({ 'x-api-key': key });
  expect(body).toEqual(expected);
  expect((await call(bearer(issuer.tokenFor(url, { sub: 'alice' })))).body).toEqual({ subject: 'alice', scopes: [] });
  expect((await call({})).body.error_description).toBe('Access token or API key required');
  expect((await call({ 'x-api-key': `${key}x` })).status).toBe(401);
});

/** Splits a command line at spaces outside double quotes. */
function parseWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
}

test('samples/credentials/introspection.ts asks the issuer about opaque tokens', async () => {
  const issuer = createTestIssuer();
  onTestFinished(() => issuer.close());
  const ISSUER = await issuer.listen();
  const { clientId, clientSecret } = issuer.introspection;
  const call = await start('introspection', { ISSUER, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret });
  const { url } = await call({});
  issuer.policy({ resource: url });
  const answer = await call(bearer(issuer.opaqueToken({ sub: 'alice', scopes: ['read'] })));
  expect(answer.body).toEqual({ subject: 'alice', scopes: ['read'] });
  expect((await call(bearer('unknown'))).status).toBe(401);
  expect(issuer.requests.introspection).toBe(2);
});

const CLIENT_ID = 'my-client.apps.googleusercontent.com';
const exp = () => String(Math.floor(Date.now() / 1_000) + 3_600);

/** As Google's tokeninfo answers: numbers are texts, and every bad token is a 400. */
function googleTokeninfo(req: IncomingMessage, res: ServerResponse): void {
  const known: Record<string, object | undefined> = {
    'ya29.good': {
      azp: CLIENT_ID,
      aud: CLIENT_ID,
      sub: '1157',
      scope: 'openid email',
      exp: exp(),
      expires_in: '3599',
      email: 'a@b.c',
    },
    'ya29.other': { azp: 'x', aud: 'x', sub: '1157', scope: 'openid', exp: exp(), expires_in: '3599' },
  };
  const token = /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1] ?? '';
  if (req.method !== 'POST' || req.url !== '/tokeninfo') res.writeHead(404).end();
  else if (token === 'ya29.outage') replyJson(res, { error: 'backend_error' }, 500);
  else if (known[token]) replyJson(res, known[token]);
  else replyJson(res, { error: 'invalid_token', error_description: 'Invalid Value' }, 400);
}

test("samples/credentials/google.ts takes Google's tokens of its own client", async () => {
  const GOOGLE_TOKENINFO = `${await serve(googleTokeninfo)}/tokeninfo`;
  const call = await start('google', { GOOGLE_TOKENINFO, GOOGLE_CLIENT_ID: CLIENT_ID });
  const { status, body } = await call(bearer('ya29.good'));
  expect([status, body]).toEqual([200, { subject: '1157', email: 'a@b.c', scopes: ['openid', 'email'] }]);
  for (const token of ['ya29.other', 'ya29.unknown']) expect((await call(bearer(token))).status).toBe(401);
  expect((await call(bearer('ya29.outage'))).status).toBe(503);
});

const GITHUB = { id: 'Iv1.0123456789abcdef', secret: 'github secret' };

/** As GitHub checks a token: only with the credentials of the application that it was issued to, else 404. */
async function githubApi(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { headers, method, url } = req;
  const basic = `Basic ${Buffer.from(`${GITHUB.id}:${GITHUB.secret}`).toString('base64')}`;
  const isWhole = headers['user-agent'] !== undefined && headers.accept === 'application/vnd.github+json';
  if (!isWhole || headers['content-type'] !== 'application/json') return void res.writeHead(403).end();
  if (method !== 'POST' || url !== `/applications/${GITHUB.id}/token`) return void res.writeHead(404).end();
  if (headers.authorization !== basic) return replyJson(res, { message: 'Requires authentication' }, 401);
  const { access_token: token } = (await json(req)) as { access_token?: unknown };
  if (typeof token !== 'string') return replyJson(res, { message: 'Validation Failed' }, 422);
  if (token !== 'gho_good') return replyJson(res, { message: 'Not Found' }, 404);
  replyJson(res, {
    id: 1,
    scopes: ['read:user'],
    token: '',
    app: { client_id: GITHUB.id, name: 'my app', url: 'https://mcp.example' },
    user: { login: 'octocat', id: 583231, type: 'User' },
    expires_at: null,
  });
}

test("samples/credentials/github.ts takes GitHub's tokens of its own application", async () => {
  const GITHUB_API = await serve((req, res) => void githubApi(req, res));
  const settings = { GITHUB_API, GITHUB_CLIENT_ID: GITHUB.id };
  const call = await start('github', { ...settings, GITHUB_CLIENT_SECRET: GITHUB.secret });
  const { status, body } = await call(bearer('gho_good'));
  expect([status, body]).toEqual([200, { subject: '583231', login: 'octocat', scopes: ['read:user'] }]);
  expect((await call(bearer('gho_other'))).status).toBe(401);
  const misconfigured = await start('github', { ...settings, GITHUB_CLIENT_SECRET: 'wrong' });
  expect((await misconfigured(bearer('gho_good'))).status).toBe(503);
});
