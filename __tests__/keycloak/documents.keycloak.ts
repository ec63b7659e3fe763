import { afterAll, describe, test } from 'vitest';
import { expectDocumentLogin, startDocumentProxy } from '../support/client-documents.js';
import { SDKS } from '../support/mcp-login.js';
import { endPrograms } from '../support/program.js';
import { atKeycloak } from './fill-in.js';
import { SHARED_CLIENT } from './keycloak-server.js';

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
