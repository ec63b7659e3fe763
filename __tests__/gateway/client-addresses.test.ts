import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { withDevIssuer } from '../../src/gateway/config/dev-issuer-policies.js';
import { devIssuerStandIn } from '../../src/gateway/dev-issuer/dev-issuer.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { configText, route } from '../support/config-text.js';
import { good } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const warningOf = (resource: string, port: number) =>
  `${route}.policies.mcpAuthentication.resourceMetadata.resource is ${resource}, but binds[0].port is ${port}: clients do not reach the route at this address, unless a proxy forwards it. Write the same port in both`;

test.each([
  ['http://localhost:3001/mcp', 3010, true, false],
  ['http://127.0.0.1/mcp', 3010, true, false],
  ['https://localhost/mcp', 3010, true, false],
  ['http://localhost:3010/mcp', 3010, false, true],
  ['http://localhost/mcp', 80, false, true],
  ['https://[::1]/mcp', 443, false, true],
  ['https://mcp.example.com/mcp', 3010, false, true],
  // The port of the file is not known before it listens.
  ['http://localhost:3001/mcp', 0, false, false],
])('%s on port %i is warned about: %s; is for clients: %s', async (resource, port, isWarned, isForClients) => {
  const mcpAuthentication = { ...good, resourceMetadata: { resource } };
  const text = configText({ bind: { port }, route: { policies: { mcpAuthentication } } });
  const gateway = createGateway(parseConfigFile(text, '/'), createRecordingLogger().logger);
  const warning = `${warningOf(resource, port)}.`;
  for (const host of ['127.0.0.1', '0.0.0.0']) expect(gateway.warningsFor(host)).toEqual(isWarned ? [warning] : []);
  expect(gateway.clientAddresses).toEqual(isForClients ? [resource] : []);
  await gateway.close();
});

test('with --dev-issuer, a resource on another port may be an app that uses the login, as docs/command.md says', async () => {
  const resource = 'http://localhost:3001/mcp';
  const mcpAuthentication = { resourceMetadata: { resource } };
  const text = configText({ bind: { port: 3010 }, route: { policies: { mcpAuthentication } } });
  const config = withDevIssuer(parseConfigFile(text, '/'), devIssuerStandIn(9000));
  const gateway = createGateway(config, createRecordingLogger().logger);
  expect(gateway.warningsFor('127.0.0.1')).toEqual([
    `${warningOf(resource, 3010)}, or leave it, if an app of yours serves this address (docs/command.md#log-in-to-your-own-app).`,
  ]);
  await gateway.close();
});
