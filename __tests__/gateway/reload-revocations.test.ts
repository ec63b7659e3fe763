import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openAdminServers } from '../../src/gateway/admin/admin-servers.js';
import { createAdminUi } from '../../src/gateway/admin/admin-ui.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { adminPageAt } from '../support/admin-app.js';
import { answer, serveFile } from '../support/file-gateway.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { createRecordingLogger } from '../support/recording-logger.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  await folder.write('first', 'a'.repeat(32));
  await folder.write('second', 'b'.repeat(32));
  return () => folder.remove();
});

const route = (policies: object = {}, path = '/mcp') => ({
  matches: [{ path: { exact: path } }],
  policies: { mcpAuthentication: { ...AUTHENTICATION, ...policies }, ...answer('x') },
});
const A = route();
const { issuer, audiences, jwks } = AUTHENTICATION;
const jwtAuth = { ...A, policies: { jwtAuth: { issuer, audiences, jwks }, ...answer('x') } };
const open = { ...A, policies: answer('x') };

/** Serves routes with the page for operators. */
async function start(config: object, routes: readonly object[]) {
  const fileWith = (more: object, next: readonly object[]) =>
    JSON.stringify({ config: { ...config, ...more }, gateways: { default: { port: 0 } }, routes: next });
  const { gateway, origin } = await serveFile(fileWith({}, routes), { folder: folder.path });
  const { logger } = createRecordingLogger();
  const { notes, close } = await openAdminServers({ admin: { host: '127.0.0.1', port: 0 } }, gateway, logger, () =>
    createAdminUi(gateway, { password: undefined, devIssuer: undefined }, logger),
  );
  onTestFinished(close);
  const page = adminPageAt(`${notes[0]?.split(' ').at(-1)}/ui/`);
  const prepare = (next: readonly object[], more: object = {}) =>
    gateway.prepare(parseConfigFile(fileWith(more, next), folder.path), new InputFiles());
  const statusOf = async (sub: string, path = '/mcp') => {
    const authorization = `Bearer ${folder.token({ sub })}`;
    return (await fetch(`${origin}${path}`, { headers: { authorization } })).status;
  };
  const revoke = async (user: string) => expect((await page.post('api/revoke', { user, issuer })).status).toBe(200);
  return { prepare, statusOf, revoke };
}

interface Reload {
  readonly before?: readonly object[];
  /** The versions of the file after the revocation. */
  readonly after: ReadonlyArray<readonly object[]>;
  readonly config?: object;
  readonly path?: string;
}

const RELOADS: Readonly<Record<string, Reload>> = {
  'another setting of the login': { after: [[route({ clockToleranceSeconds: 10 })]] },
  'another config.session.key': { after: [[A]], config: { session: { key: 'k'.repeat(32) } } },
  'another secret in a file': {
    before: [route({ secret: { file: 'first' } })],
    after: [[route({ secret: { file: 'second' } })]],
  },
  'proofs of possession': { after: [[route({ senderConstraint: { dpop: {} } })]] },
  'no more proofs of possession': { before: [route({ senderConstraint: { dpop: {} } })], after: [[A]] },
  'a login of another kind': { after: [[jwtAuth]] },
  'another name': { after: [[{ ...A, name: 'new' }]] },
  'another path': { after: [[route({}, '/new')]], path: '/new' },
  'another path and setting': { after: [[route({ clockToleranceSeconds: 10 }, '/new')]], path: '/new' },
  'one login more': { after: [[A, route({}, '/new')]], path: '/new' },
  'one login more, with another setting': { after: [[route({ clockToleranceSeconds: 10 }, '/new'), A]], path: '/new' },
  'a login that was away for a while': { after: [[open], [A]] },
};

describe.each([
  ['without a store', {}],
  ['with a store that is down', { store: { redis: 'redis://127.0.0.1:1' } }],
])('a revoked token stays refused %s, after a reload with', (_store, config) => {
  test.each(Object.entries(RELOADS))('%s', async (_what, { before = [A], after, config: more, path }) => {
    const { prepare, statusOf, revoke } = await start(config, before);
    expect([await statusOf('alice'), await statusOf('bob')]).toEqual([200, 200]);
    await revoke('alice');
    expect([await statusOf('alice'), await statusOf('bob')]).toEqual([401, 200]);
    for (const routes of after) await prepare(routes, more).use('127.0.0.1');
    expect([await statusOf('alice', path), await statusOf('bob', path)]).toEqual([401, 200]);
  });

  test('a new version that was prepared before', async () => {
    const { prepare, statusOf, revoke } = await start(config, [A]);
    const next = prepare([route({ clockToleranceSeconds: 10 })]);
    await revoke('alice');
    await next.use('127.0.0.1');
    expect([await statusOf('alice'), await statusOf('bob')]).toEqual([401, 200]);
  });
});
