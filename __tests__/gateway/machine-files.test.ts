import { beforeAll, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import type { Logger } from '../../src/index.js';
import { CLIENT } from '../support/certificates.js';
import { scripted } from '../support/file-gateway.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { createRecordingLogger } from '../support/recording-logger.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  await folder.write('good.crt', CLIENT.cert);
  await folder.write('good.key', CLIENT.key);
  await folder.write('other', 'something else');
  return () => folder.remove();
});

/** The files of a check. */
function tolerant({ warn }: Logger): InputFiles {
  const files = new InputFiles();
  files.tolerate(warn);
  return files;
}

const gateway = (tls: object) => ({
  gateways: { default: { port: 0, tls: { cert: 'good.crt', key: 'good.key', ...tls } } },
  routes: [{ backends: [{ mcp: { targets: [scripted('only')] } }] }],
});
const remote = (policies: object, more: object = {}) => ({
  mcp: {
    port: 0,
    targets: [{ mcp: { host: 'https://notes.example/mcp', ...more }, policies }],
    policies: { apiKey: { mode: 'strict', keys: [{ keyHash: `sha256:${'0'.repeat(64)}` }] } },
  },
});
const policies = 'mcp.targets[0].policies';
const callerToken = (file: string) => ({ callerToken: { issuer: 'https://a.example', key: { file } } });

/** The message of a file that is not there. */
const missing = (name: string) => `${folder.path}/${name}: the file does not exist`;

const rows: ReadonlyArray<readonly [what: string, file: () => object, message: () => string]> = [
  ['a missing certificate', () => gateway({ cert: 'no' }), () => `gateways.default.tls: ${missing('no')}`],
  [
    'a key that is none',
    () => gateway({ key: 'other' }),
    () => `gateways.default.tls: key cannot be used: ${folder.path}/other has no private key in PEM`,
  ],
  ['missing authorities', () => gateway({ root: 'no' }), () => `gateways.default.tls: ${missing('no')}`],
  [
    'a missing secret of a login',
    () => ({
      mcp: {
        port: 0,
        targets: [scripted('only')],
        policies: { mcpAuthentication: { ...AUTHENTICATION, secret: { file: 'no' } } },
      },
    }),
    () => `mcp.policies.mcpAuthentication.secret: ${missing('no')}`,
  ],
  [
    'a missing secret for a target',
    () => remote({ backendAuth: { key: { file: 'no' } } }),
    () => `${policies}.backendAuth: ${missing('no')}`,
  ],
  [
    'missing authorities of a target',
    () => remote({ backendTLS: { root: 'no' } }),
    () => `${policies}.backendTLS: ${missing('no')}`,
  ],
  ['a missing key of callerToken', () => remote({}, callerToken('no')), () => `mcp.targets[0].mcp: ${missing('no')}`],
  [
    'a key of callerToken that is none',
    () => remote({}, callerToken('other')),
    () => 'mcp.targets[0].mcp: mcpHttpBackend(): option "callerToken.key" must be a private key on P-256',
  ],
];

test.each(rows)('%s is refused by a start, and only a warning of a check', async (_what, file, message) => {
  const config = parseConfigFile(JSON.stringify(file()), folder.path);
  const { lines, logger } = createRecordingLogger();
  expect(() => createGateway(config, logger)).toThrow(
    expect.objectContaining({ name: 'StartupError', message: expect.stringContaining(message()) }),
  );
  await createGateway(config, logger, tolerant(logger)).close();
  expect(lines).toEqual([expect.stringContaining(`warn ${message()}`)]);
});

test('a mistake in the file itself is refused by both', () => {
  const { logger } = createRecordingLogger();
  const listeners = [{ name: 'a', tls: { cert: 'no', key: 'no' } }, { name: 'b' }];
  const file = {
    gateways: { default: { port: 0, listeners } },
    routes: ['a', 'b'].map((name) => ({
      gateways: `default/${name}`,
      matches: [{ path: { exact: `/${name}` } }],
      policies: { directResponse: { status: 200 } },
    })),
  };
  const config = parseConfigFile(JSON.stringify(file), folder.path);
  expect(() => createGateway(config, logger, tolerant(logger))).toThrow(
    'gateways.default has listeners with and without tls',
  );
});
