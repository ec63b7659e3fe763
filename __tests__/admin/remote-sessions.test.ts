import { expect, onTestFinished, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { adminPageAt } from '../support/admin-app.js';
import { serveRemote } from '../support/http-backend.js';
import { serve } from '../support/loopback-server.js';
import { call, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

test.each([
  ['its own id', {}],
  ['a signed id', { secret: 'a secret of at least thirty-two characters' }],
])('a session at a remote server with %s is listed, and ends here and there, with its stream', async (_id, policy) => {
  const target = await startRecordingTarget();
  const remote = await serveRemote(target.url, {}, { policy });
  const admin = mcpAdmin({ authorize: 'loopback', backends: { '/mcp': remote.backend }, auth: remote.auth });
  onTestFinished(() => admin.close());
  const page = adminPageAt(`${await serve((req, res) => admin(req, res, () => undefined))}/`);
  const ada = await open(remote.url, remote.bearer('ada', { clientId: 'editor' }));
  const bob = await open(remote.url, remote.bearer('bob'));
  const stream = await fetch(remote.url, { headers: { accept: 'text/event-stream', ...ada } });
  const sessions = (await page.get('api/sessions')).body as { id: string; user: string }[];
  expect(sessions.map(({ id: _handle, ...others }) => others)).toMatchObject([
    { route: '/mcp', user: 'ada', client: 'editor', issuer: remote.issuer.issuer },
    { route: '/mcp', user: 'bob' },
  ]);
  const id = sessions.find(({ user }) => user === 'ada')?.id;
  expect((await page.post('api/sessions/end', { id })).status).toBe(200);
  await stream.text();
  await until(() => target.arrived.some(({ method }) => method === 'DELETE'));
  const left = (await page.get('api/sessions')).body as { user: string }[];
  expect(left.map(({ user }) => user)).toEqual(['bob']);
  const ended = target.arrived
    .filter(({ method }) => method === 'DELETE')
    .map(({ headers }) => headers['mcp-session-id']);
  const opened = target.arrived
    .filter(({ method }) => method === 'GET')
    .map(({ headers }) => headers['mcp-session-id']);
  expect(ended).toEqual(opened);
  expect((await post(remote.url, call(1, 'echo'), bob)).status).toBe(200);
  // The remote server refuses a session that has ended; this target does not remember it.
  expect((await post(remote.url, call(1, 'echo'), ada)).status).toBe('secret' in policy ? 200 : 404);
});
