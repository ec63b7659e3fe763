import { beforeAll, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { createRecordingLogger } from '../support/recording-logger.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

const [OWN, OTHER] = ['o'.repeat(32), 'p'.repeat(32)];
const WARNING =
  'routes[0] and routes[1] have a path and a secret in common: the MCP server of one can choose session ids that are valid at the other. ' +
  'Give each login a secret of its own, or set config.session.key in place of both';

/** The warnings about two routes for two hosts, with these paths and secrets. */
async function warningsOf(paths: readonly object[], secrets: readonly unknown[], config: object = {}) {
  const routes = paths.map((path, i) => ({
    hostnames: [`${i}.example`],
    matches: [{ path }],
    policies: { mcpAuthentication: { ...AUTHENTICATION, ...(secrets[i] ? { secret: secrets[i] } : {}) } },
    backends: [{ mcp: { targets: [{ name: 'one', stdio: { cmd: process.execPath } }] } }],
  }));
  const text = JSON.stringify({ config, gateways: { default: { port: 0 } }, routes });
  const gateway = createGateway(parseConfigFile(text, folder.path), createRecordingLogger().logger);
  const warnings = gateway.warningsFor('127.0.0.1');
  await gateway.close();
  return warnings.filter((line) => line.includes('secret in common'));
}

const EXACT = { exact: '/mcp' };

test.each<[string, readonly object[], readonly unknown[], readonly string[]]>([
  ['the same path and secret', [EXACT, EXACT], [OWN, OWN], [WARNING]],
  [
    'the same prefix and a secret in both lists',
    [{ pathPrefix: '/a' }, { pathPrefix: '/a/' }],
    [[OTHER, OWN], OWN],
    [WARNING],
  ],
  ['secrets of their own', [EXACT, EXACT], [OWN, OTHER], []],
  ['different paths', [EXACT, { exact: '/other' }], [OWN, OWN], []],
  ['no secret', [EXACT, EXACT], [undefined, undefined], []],
])('two routes with %s', async (_what, paths, secrets, expected) => {
  expect(await warningsOf(paths, secrets)).toEqual(expected);
});

test('the keys of config.session.key differ by route', async () => {
  expect(await warningsOf([EXACT, EXACT], [], { session: { key: 'ab'.repeat(32) } })).toEqual([]);
});
