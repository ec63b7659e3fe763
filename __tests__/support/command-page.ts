import { createHash, generateKeyPairSync } from 'node:crypto';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { ExpandedTexts } from '../../src/gateway/config/variables.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { SERVER } from './certificates.js';
import { type GatewayFolder, makeGatewayFolder } from './gateway-folder.js';
import { createRecordingLogger } from './recording-logger.js';

const KEY_SHA256 = createHash('sha256').update('a key').digest('hex');
const SECRET = 'x'.repeat(32);

const env = {
  ISSUER: 'https://auth.example.com',
  KEY_HASH: `sha256:${'0'.repeat(64)}`,
  KEY_SHA256,
  API_KEY: 'a key',
  CLIENT_SECRET: SECRET,
  PROXY_SECRET: SECRET,
  N8N_SECRET: SECRET,
  ADMIN_PASSWORD: SECRET,
  SESSION_SECRET: SECRET,
  REDIS_URL: 'redis://127.0.0.1:6379',
  OTLP_TOKEN: 'a-token-of-the-collector',
  NOTES_TOKEN: 'token',
};

/** Creates a folder with every file that the configuration files of docs/command.md name. */
export async function makePageFolder(): Promise<GatewayFolder> {
  const folder = await makeGatewayFolder();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await folder.write('caller-key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  await folder.write('tls.crt', SERVER.cert);
  await folder.write('tls.key', SERVER.key);
  await folder.write('notes-token', 'token\n');
  await folder.write('signing-key.pem', SERVER.key);
  for (const name of ['notes-key', 'client-secret', 'oauth-proxy-secret'])
    await folder.write(`${name}.txt`, `${'s'.repeat(40)}\n`);
  await folder.write('api-keys.json', JSON.stringify([{ sha256: KEY_SHA256, subject: 'robot' }]));
  return folder;
}

/** Creates the gateway of such a file, without listening. Returns its ports and its warnings. */
export async function startFile(text: string, folder: GatewayFolder): Promise<readonly string[]> {
  const { lines, logger } = createRecordingLogger();
  const config = parseConfigFile(text, folder.path, { texts: new ExpandedTexts(env) });
  await createGateway(config, logger).close();
  return [...config.binds.map(({ port, at }) => `${at}: ${port}`), ...lines.filter((line) => line.startsWith('warn'))];
}
