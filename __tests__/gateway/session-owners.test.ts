import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { StartupError } from '../../src/gateway/startup-error.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { createRecordingLogger } from '../support/recording-logger.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

const SECRET = 's'.repeat(32);
const PLACE = 'binds[0].listeners[0].routes[0].policies.mcpAuthentication';

/** A gateway whose route has these members in its `mcpAuthentication`. */
function createGatewayWith(members: object) {
  const stdio = { cmd: process.execPath, args: ['-e', 'process.stdin.resume()'] };
  const policies = { mcpAuthentication: { ...AUTHENTICATION, ...members } };
  const route = { matches: [{ path: { exact: '/mcp' } }], policies, backends: [{ mcp: { targets: [{ stdio }] } }] };
  const text = JSON.stringify({ binds: [{ port: 0, listeners: [{ routes: [route] }] }] });
  return createGateway(parseConfigFile(text, folder.path), createRecordingLogger().logger);
}

describe('the configuration file', () => {
  test.each([{ sessionOwners: 'sign', secret: SECRET }, { sessionOwners: 'off' }, { secret: [SECRET, SECRET] }])(
    'takes %j',
    async (members) => {
      const gateway = createGatewayWith(members);
      onTestFinished(() => gateway.close());
      const [address] = await gateway.listen('127.0.0.1');
      expect((await fetch(`http://${address}/mcp`, { method: 'POST' })).status).toBe(401);
    },
  );

  test.each([
    [{ sessionOwners: 'sign' }, 'option "secret" must be given where sessionOwners is "sign"'],
    [{ sessionOwners: 'all' }, 'option "sessionOwners" must be one of "remember", "sign", "off", but got "all"'],
    [{ secret: 'short' }, 'option "secret" must be a string of at least 32 characters'],
  ])('with %j is refused, with the place of the mistake', (members, message) => {
    expect(() => createGatewayWith(members)).toThrow(StartupError);
    expect(() => createGatewayWith(members)).toThrow(message);
    expect(() => createGatewayWith(members)).toThrow(PLACE);
  });
});
