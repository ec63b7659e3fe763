import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { makeKey } from '../support/api-keys.js';
import { AUTHENTICATION, type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { good, signer } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const WARNING =
  'clients cannot find out where to log in, because the metadata names no authorization server by URL: set resourceMetadata.authorizationServers';
const { resource } = good.resourceMetadata;
const announcing = (...authorizationServers: string[]) => ({ resourceMetadata: { resource, authorizationServers } });
const TENANTS = { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0', tenants: '*' };
const BY_NAME = { issuer: 'issuer.example' };
const VERIFIERS = { issuer: undefined, jwks: undefined, issuers: [], verifiers: [async () => undefined] };
const server = (issuer: string) => ({ issuer, jwks: good.jwks, audiences: ['a'] });
const several = (...issuers: string[]) => ({ issuer: undefined, jwks: undefined, issuers: issuers.map(server) });

/** Returns a key set in a file. */
function keyFile(): object {
  const folder = mkdtempSync(join(tmpdir(), 'login-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys');
  writeFileSync(file, JSON.stringify({ keys: [signer.jwk] }));
  return { jwks: { file } };
}

test.each<[string, boolean, () => object]>([
  ['an issuer that is a URL', false, () => ({})],
  ['an issuer that is no URL', true, () => BY_NAME],
  ['that issuer, with servers named', false, () => ({ ...BY_NAME, ...announcing('https://auth.example') })],
  ['that issuer, with no servers by choice', false, () => ({ ...BY_NAME, ...announcing() })],
  [
    'that issuer, with metadata elsewhere',
    false,
    () => ({ ...BY_NAME, resourceMetadata: { resource, url: 'https://mcp.example/metadata' } }),
  ],
  ["that issuer, with its keys in a file, as in agentgateway's tutorial", false, () => ({ ...BY_NAME, ...keyFile() })],
  ['two issuers, one of which is a URL', false, () => several('issuer.example', 'https://issuer.example')],
  ['two issuers, neither of which is a URL', true, () => several('issuer.example', 'urn:issuer')],
  ['the issuer of many tenants', true, () => TENANTS],
  ['that issuer, with servers named', false, () => ({ ...TENANTS, ...announcing('https://auth.example') })],
  ['verifiers alone', true, () => VERIFIERS],
  ['verifiers, with servers named', false, () => ({ ...VERIFIERS, ...announcing('https://auth.example') })],
  ['API keys alone', false, () => ({ issuer: undefined, jwks: undefined, issuers: [], apiKeys: [makeKey().entry] })],
])('%s: a warning about the login: %s', (_what, isWarned, changes) => {
  const { lines, logger } = createRecordingLogger();
  const auth = mcpAuth({ ...good, ...changes(), logger } as McpAuthOptions);
  protectedResourceMetadata(auth);
  expect(lines.filter((line) => line.startsWith('warn'))).toEqual(isWarned ? [`warn mcpAuth(): ${WARNING}`] : []);
});

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

test.each([
  ['mcpAuthentication', 'routes[0].policies.mcpAuthentication.resourceMetadata.authorizationServers'],
  ['jwtAuth', undefined],
])('a warning about %s of a file names the place', async (policy, place) => {
  const tenants = { issuer: TENANTS.issuer, tenants: '*', audiences: ['a'], jwks: { keys: [signer.jwk] } };
  const login =
    policy === 'jwtAuth'
      ? { ...tenants, tenants: undefined, issuer: 'issuer.example' }
      : { ...AUTHENTICATION, ...tenants };
  const text = JSON.stringify({
    gateways: { default: { port: 0 } },
    routes: [{ policies: { [policy]: login }, backends: [{ mcp: { targets: [{ name: 'a', stdio: { cmd: 'a' } }] } }] }],
  });
  const { lines, logger } = createRecordingLogger();
  await createGateway(parseConfigFile(text, folder.path), logger).close();
  const warnings = lines.filter((line) => line.includes('where to log in'));
  expect(warnings).toEqual(place === undefined ? [] : [expect.stringContaining(`: set ${place}`)]);
});
