import { beforeAll, describe, expect, test } from 'vitest';
import { parseDoctorLine } from '../../src/gateway/command-line.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { withDevIssuer } from '../../src/gateway/config/dev-issuer-policies.js';
import { routesOf } from '../../src/gateway/config/gateway-config.js';
import { readSecretFiles } from '../../src/gateway/config/secret-file.js';
import { devIssuerStandIn } from '../../src/gateway/dev-issuer/dev-issuer.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { scripted, serveFile } from '../support/file-gateway.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { startIntrospectionServer } from '../support/introspection-server.js';
import { initialize, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const SECRET = 'a secret of more than thirty-two characters';
const file = { file: 'secret' };
const issuer = { issuer: 'https://issuer.test', audiences: ['mcp.example'] };
const at = 'mcp.policies.mcpAuthentication';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  await folder.write('secret', `${SECRET}\r\n`);
  await folder.write('empty', '\n');
  return () => folder.remove();
});

const withPolicies = (policies: object) => ({ mcp: { port: 0, targets: [scripted('only')], policies } });
const parse = (policies: object) => parseConfigFile(JSON.stringify(withPolicies(policies)), folder.path);
const create = (policies: object) => createGateway(parse(policies), createRecordingLogger().logger);

describe('a secret in a file, without the line end after it', () => {
  test.each([
    [
      { ...issuer, clientSecret: file },
      { ...issuer, clientSecret: SECRET },
    ],
    [{ issuers: [{ ...issuer, clientSecret: file }] }, { issuers: [{ ...issuer, clientSecret: SECRET }] }],
    [{ secret: file }, { secret: SECRET }],
    [{ secret: [file, 'older'] }, { secret: [SECRET, 'older'] }],
    [{ oauthProxy: { secret: file } }, { oauthProxy: { secret: SECRET } }],
    [
      { oauthProxy: { clients: { secret: { redirectUris: [], secret: file }, b: { secret: 'text' } } } },
      {
        oauthProxy: { clients: { secret: { redirectUris: [], secret: SECRET }, b: { secret: 'text' } } },
      },
    ],
    [
      { introspection: { clientId: 'a', clientSecret: file } },
      { introspection: { clientId: 'a', clientSecret: SECRET } },
    ],
    [
      { oauthProxy: false, secret: 'text' },
      { oauthProxy: false, secret: 'text' },
    ],
  ])('%j', (mcpAuthentication, policy) => {
    const [route] = routesOf(parse({ mcpAuthentication }));
    expect(readSecretFiles(route?.mcpAuthentication?.policy, new InputFiles())).toEqual(policy);
  });

  const statusWith = async (policies: object, token: string) => {
    const { origin } = await serveFile(withPolicies(policies), { folder: folder.path });
    return (await post(`${origin}/mcp`, initialize(), { authorization: `Bearer ${token}` })).status;
  };

  test('authenticates the command at an introspection server', async () => {
    const server = await startIntrospectionServer();
    const { clientSecret, ...others } = server.introspection;
    await folder.write('client-secret', `${clientSecret}\n`);
    const mcpAuthentication = {
      ...issuer,
      jwks: { file: 'pub-key' },
      resourceMetadata: { resource: 'http://localhost:3000/mcp' },
      introspection: { ...others, clientSecret: { file: 'client-secret' } },
    };
    const token = server.issue({ iss: issuer.issuer, aud: issuer.audiences });
    expect(await statusWith({ mcpAuthentication }, token)).toBe(200);
  });

  test('is a key of apiKey, and needs no warning', async () => {
    await folder.write('api-key', 'the-key-of-a-caller\n');
    const apiKey = { mode: 'strict', keys: [{ key: { file: 'api-key' } }] };
    expect(await statusWith({ apiKey }, 'the-key-of-a-caller')).toBe(200);
    expect(await statusWith({ apiKey }, 'the-key-of-another')).toBe(401);
    const { lines } = await serveFile(withPolicies({ apiKey }), { folder: folder.path });
    expect(lines).toEqual([]);
  });
});

test('a changed secret counts after the file is read again', async () => {
  const policies = { apiKey: { mode: 'strict', keys: [{ key: { file: 'changing-key' } }] } };
  await folder.write('changing-key', 'the-first-key');
  const { gateway, origin } = await serveFile(withPolicies(policies), { folder: folder.path });
  const statusOf = async (key: string) =>
    (await post(`${origin}/mcp`, initialize(), { authorization: `Bearer ${key}` })).status;
  expect([await statusOf('the-first-key'), await statusOf('the-second-key')]).toEqual([200, 401]);
  await folder.write('changing-key', 'the-second-key');
  await gateway.prepare(parse(policies), new InputFiles()).use('127.0.0.1');
  expect([await statusOf('the-first-key'), await statusOf('the-second-key')]).toEqual([401, 200]);
});

describe('refuses', () => {
  test.each([
    ['no', 'the file does not exist'],
    ['empty', 'the file is empty'],
  ])('the file %s', (name, why) => {
    const mcpAuthentication = { ...issuer, secret: { file: name } };
    expect(() => create({ mcpAuthentication })).toThrow(`${at}.secret: ${folder.path}/${name}: ${why}`);
    expect(() => create({ apiKey: { keys: [{ key: { file: name } }] } })).toThrow(
      `mcp.policies.apiKey.keys[0].key: ${folder.path}/${name}: ${why}`,
    );
  });

  test.each([
    [{ path: 'secret' }, `${at}.secret.path is not supported. Supported here: file.`],
    [{ file: 5 }, `${at}.secret.file must be text: put the number in quotes`],
  ])('%j in place of { file: NAME }', (secret, message) => {
    expect(() => parse({ mcpAuthentication: { ...issuer, secret } })).toThrow(message);
  });

  test('a secret that is too short, and does not show it', async () => {
    await folder.write('short', 'short-secret\n');
    const mcpAuthentication = { ...issuer, secret: { file: 'short' } };
    expect(() => create({ mcpAuthentication })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('short-secret') }),
    );
  });
});

describe('no secret is needed', () => {
  const mcpAuthentication = {
    ...issuer,
    jwks: { file: 'pub-key' },
    provider: 'keycloak',
    clientId: 'a',
    clientSecret: { file: 'no' },
    resourceMetadata: { resource: 'http://localhost:3000/mcp' },
  };

  test('of the client at another issuer by the development issuer', async () => {
    const config = withDevIssuer(parse({ mcpAuthentication }), devIssuerStandIn(9000));
    await createGateway(config, createRecordingLogger().logger).close();
  });

  test('by the doctor', async () => {
    const path = await folder.write('config.yaml', JSON.stringify(withPolicies({ mcpAuthentication })));
    expect(parseDoctorLine(['-f', path])?.targets.map(({ url }) => url)).toEqual(['http://localhost:3000/mcp']);
  });
});
