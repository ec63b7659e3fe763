import { describe, expect, onTestFinished, test } from 'vitest';
import { openAdminServers } from '../../src/gateway/admin/admin-servers.js';
import { createAdminUi, type UiSettings } from '../../src/gateway/admin/admin-ui.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import type { ProcessConfig } from '../../src/gateway/config/process-settings.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { adminPageAt, openSession } from '../support/admin-app.js';
import { answer, scripted, serveFile } from '../support/file-gateway.js';
import { AUTHENTICATION, makeGatewayFolder } from '../support/gateway-folder.js';
import { sendRaw } from '../support/raw-request.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const LOCAL = { host: '127.0.0.1', port: 0 };
const EVERY = { host: '0.0.0.0', port: 0 };
const FILE = { mcp: { port: 0, targets: [scripted('notes')] } };

interface UiOptions extends Partial<UiSettings> {
  readonly admin?: ProcessConfig['admin'];
  readonly file?: object;
  readonly folder?: string;
}

/** Serves a file with its admin page until the test ends. Requests go to a loopback address. */
async function serveUi({ admin = LOCAL, file = FILE, folder, password, devIssuer }: UiOptions = {}) {
  const served = await serveFile(file, folder === undefined ? {} : { folder });
  const { lines, logger } = createRecordingLogger();
  const { notes, close } = await openAdminServers({ admin }, served.gateway, logger, () =>
    createAdminUi(served.gateway, { password, devIssuer }, logger),
  );
  onTestFinished(close);
  const [, port] = /:(\d+)$/.exec(notes[0] ?? '') ?? [];
  const origin = `http://127.0.0.1:${port}`;
  return { ...served, origin, port, notes, lines, ...adminPageAt(`${origin}/ui/`) };
}

const basic = (password: string, user = 'admin') => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
const PASSWORD = 'correct horse battery';

describe('/ui/', () => {
  test('is served at the admin address, whose line is that of the tutorial', async () => {
    const { get, notes, port, origin } = await serveUi();
    expect(notes).toEqual([`Admin on http://127.0.0.1:${port}`, `Admin UI available at http://localhost:${port}/ui/`]);
    expect(await get('')).toMatchObject({ status: 200, body: expect.stringContaining('<!doctype html>') });
    const bare = await fetch(`${origin}/ui`, { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual([308, './ui/']);
    const missing = await fetch(`${origin}/uix`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ paths: expect.arrayContaining(['/ui/', '/metrics', '/readyz']) });
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  });

  test('describes the routes of the file with the names of their targets', async () => {
    const { get } = await serveUi({
      file: {
        gateways: { default: { port: 0 } },
        routes: [
          {
            name: 'notes',
            matches: [{ path: { pathPrefix: '/notes' } }],
            backends: [
              { mcp: { targets: [scripted('one'), { name: 'two', mcp: { host: 'http://127.0.0.1:1/secret/mcp' } }] } },
            ],
          },
          { name: 'elsewhere', matches: [{ path: { exact: '/x' } }], policies: answer('x') },
        ],
      },
    });
    const { routes, can } = (await get('api/state')).body;
    expect(routes).toMatchObject([
      {
        id: expect.any(String),
        name: 'notes',
        authenticates: false,
        targets: [
          { name: 'one', kind: 'stdio', description: process.execPath },
          { name: 'two', kind: 'http', description: 'http://127.0.0.1:1' },
        ],
        stats: { sessions: 0, pending: 0, connections: 0, restarts: 0 },
      },
      { id: expect.any(String), name: 'elsewhere', targets: [], health: { ready: true, problems: [] } },
    ]);
    expect(can).toEqual({ revoke: false, endSessions: true, callTools: true, doctor: false, developmentToken: false });
  });

  test('a route keeps its id when its place in the file changes, and no other route gets it', async () => {
    const at = (path: string) => ({ matches: [{ path: { exact: path } }], name: path, policies: answer(path) });
    const file = (...routes: object[]) => ({ gateways: { default: { port: 0 } }, routes });
    const { get, gateway } = await serveUi({ file: file(at('/a'), at('/b')) });
    const ids = async () => {
      const { routes } = (await get('api/state')).body;
      return Object.fromEntries(routes.map(({ name, id }: { name: string; id: string }) => [name, id]));
    };
    const before = await ids();
    const next = parseConfigFile(JSON.stringify(file(at('/new'), at('/b'))), '/');
    await gateway.prepare(next, new InputFiles()).use('127.0.0.1');
    const after = await ids();
    expect(after['/b']).toBe(before['/b']);
    expect(Object.values(before)).not.toContain(after['/new']);
  });

  test('says which part of a route is not ready', async () => {
    const { get } = await serveUi({ file: { mcp: { port: 0, targets: [scripted('notes', { cmd: '/nowhere' })] } } });
    for (;;) {
      const [{ health }] = (await get('api/state')).body.routes;
      if (health.problems[0] === 'the first check is still running') continue;
      expect(health).toEqual({ ready: false, problems: ['mcp: the MCP server is not there, or cannot be reached'] });
      break;
    }
  });

  test('calls a tool of a route through the port of the file', async () => {
    const { post, get } = await serveUi();
    const { routes } = (await get('api/state')).body;
    const [{ id }] = routes;
    const { body } = await post('api/tools', { route: id });
    expect(body.tools.map(({ name }: { name: string }) => name)).toContain('echo');
    expect((await post('api/tools/call', { route: id, name: 'echo', arguments: { text: 'hi' } })).body).toMatchObject({
      result: { content: [{ type: 'text' }] },
    });
  });

  test('lists and ends the sessions of a route, and revokes the tokens of its login', async () => {
    const folder = await makeGatewayFolder();
    onTestFinished(() => folder.remove());
    const file = { mcp: { port: 0, targets: [scripted('notes')], policies: { mcpAuthentication: AUTHENTICATION } } };
    const { get, post, gateway } = await serveUi({ file, folder: folder.path });
    const [address] = gateway.openPorts().map((port) => port.address);
    const token = folder.token({ sub: 'alice' });
    const { call } = await openSession(`http://${address}/mcp`, token);
    const [session] = (await get('api/sessions')).body;
    const [{ id: route }] = (await get('api/state')).body.routes;
    expect(session).toMatchObject({ user: 'alice', route, inUse: false });
    expect((await post('api/sessions/end', { id: session.id })).status).toBe(200);
    expect((await call('tools/list'))[0]).toBe(404);
    const revoked = await post('api/revoke', { user: 'alice', issuer: session.issuer });
    expect(revoked.body).toMatchObject({ revoked: true, untilRestart: true });
    expect((await call('tools/list'))[0]).toBe(401);
  });
});

describe('the password', () => {
  test('is asked for by the browser, and any user name goes with it', async () => {
    const { get, post, origin } = await serveUi({ password: PASSWORD });
    const { status, headers, body } = await get('');
    expect([status, headers.get('www-authenticate'), body.error]).toEqual([
      401,
      'Basic realm="express-mcp-auth", charset="UTF-8"',
      'password_required',
    ]);
    for (const path of ['api/state', 'api/callers', 'api/events', 'admin.js'])
      expect((await get(path)).status).toBe(401);
    expect((await post('api/revoke', {})).status).toBe(401);
    for (const user of ['admin', 'other', '']) expect((await get('api/state', basic(PASSWORD, user))).status).toBe(200);
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  });

  test.each([
    ['another one', basic('wrong')],
    ['its beginning', basic(PASSWORD.slice(0, -1))],
    ['more than it', basic(`${PASSWORD}x`)],
    ['nothing', basic('')],
    ['a bearer token', { authorization: `Bearer ${PASSWORD}` }],
    ['no user name and colon', { authorization: `Basic ${Buffer.from(PASSWORD).toString('base64')}` }],
  ])('is refused if it is %s', async (_what, headers) => {
    const { get } = await serveUi({ password: PASSWORD });
    expect((await get('api/state', headers)).status).toBe(401);
  });

  test('may be guessed ten times in a minute; then the right one has to wait, too', async () => {
    const { get } = await serveUi({ password: PASSWORD });
    for (let i = 0; i < 10; i++) expect((await get('', basic(`guess ${i}`))).status).toBe(401);
    expect(await get('', basic(PASSWORD))).toMatchObject({ status: 429, body: { error: 'too_many_failures' } });
  });

  test('lets other machines have the page, which otherwise only this machine gets', async () => {
    const without = await serveUi({ admin: EVERY });
    expect(without.notes).toEqual([`Admin on http://0.0.0.0:${without.port}`]);
    for (const path of ['', 'api/state'])
      expect(await without.get(path)).toMatchObject({
        status: 403,
        body: { error: 'password_needed', error_description: expect.stringContaining('--admin-password-file') },
      });
    const { notes, port, get } = await serveUi({ admin: EVERY, password: PASSWORD });
    expect(notes[1]).toBe(`Admin UI available at http://localhost:${port}/ui/`);
    expect((await get('', basic(PASSWORD))).status).toBe(200);
  });
});

test('on a loopback address, a foreign Host gets nothing, with the password or without', async () => {
  const { origin } = await serveUi();
  const head = (line: string) =>
    `${line} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
  for (const line of ['GET /ui/', 'GET /ui/api/state', 'POST /ui/api/revoke'])
    expect(await sendRaw(origin, head(line))).toMatch(/^HTTP\/1\.1 403 [\s\S]*foreign_host/);
});

test.each(['/ui/../cli.js', '/ui/%2e%2e/cli.js', '/ui//etc/passwd', '/ui/..%5cx'])(
  'nothing is served at %s',
  async (path) => {
    const { origin } = await serveUi();
    expect(await sendRaw(origin, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 404 /,
    );
  },
);
