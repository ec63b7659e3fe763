import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { configText, route } from '../support/config-text.js';
import { good } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

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
  const warning = `${route}.policies.mcpAuthentication.resourceMetadata.resource is ${resource}, but binds[0].port is ${port}: clients do not reach the route at this address, unless a proxy forwards it. Write the same port in both.`;
  for (const host of ['127.0.0.1', '0.0.0.0']) expect(gateway.warningsFor(host)).toEqual(isWarned ? [warning] : []);
  expect(gateway.clientAddresses).toEqual(isForClients ? [resource] : []);
  await gateway.close();
});
