import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  allowing,
  DocumentedMemory,
  expectDocumentLogin,
  serveClientDocument,
  startDocumentProxy,
  trustingDocuments,
} from '../support/client-documents.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';
import { atKeycloak } from './fill-in.js';
import { SHARED_CLIENT } from './keycloak-server.js';
import { logInAsAdministrator } from './page-realm.js';

afterAll(endPrograms);

const POLICY = {
  issuer: 'http://localhost:7080/realms/mcp',
  audiences: ['mcp_proxy'],
  provider: { keycloak: {} },
  resourceMetadata: { scopesSupported: ['openid', 'profile', 'offline_access'] },
};

describe.each(SDKS)('SDK %s logs in by its document at Keycloak, calls a tool, and refreshes', (sdk) => {
  test.each([
    ['a client that is registered there for the document', {}],
    ['one client for all', { clientId: SHARED_CLIENT.clientId }],
  ])('with %s', async (_which, client) => {
    await expectDocumentLogin(sdk, await startDocumentProxy({ ...POLICY, ...client }), atKeycloak);
  });
});

test('SDK v2 logs in by its document through the command with the sample’s file', async () => {
  const args = [CLI, '-f', `${ROOT}samples/keycloak/config.yaml`, '--host', '127.0.0.1'];
  const gateway = startNode(args, { env: trustingDocuments() });
  onTestFinished(async () => void (await gateway.stop()));
  await gateway.says(/Listening on 127\.0\.0\.1:3000/);
  const resource = 'http://localhost:3000/mcp';
  await expectDocumentLogin('v2', { resource }, atKeycloak, { tool: 'echo', args: { message: 'hello' } });
});

/** Sets what the policy *Trusted Hosts* of the sample's realm trusts, until the test ends. */
async function trustOnly(host: string): Promise<void> {
  const { ask } = await logInAsAdministrator();
  const [found] = await ask('GET', '/mcp/components?name=Trusted%20Hosts');
  const path = `/mcp/components/${found?.id}`;
  onTestFinished(async () => void (await ask('PUT', path, found)));
  await ask('PUT', path, { ...found, config: { ...(found?.config as object), 'trusted-hosts': [host] } });
}

test('a realm that does not trust this machine refuses the registration: the client learns it, and the log says what to do', async () => {
  await trustOnly('other.example');
  const { resource, program } = await startDocumentProxy(POLICY);
  const memory = new DocumentedMemory(await serveClientDocument());
  const login = logIn('v2', resource, allowing(atKeycloak).fillIn, { memory });
  await expect(login).rejects.toThrow('The authorization server does not register this client');
  expect(program.stderr).toMatch(
    /"Policy 'Trusted Hosts' rejected request.*Trusted Hosts must name the host of this server/,
  );
});
