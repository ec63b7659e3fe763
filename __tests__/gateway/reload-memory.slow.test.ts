import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { answer } from '../support/file-gateway.js';
import { AUTHENTICATION, makeGatewayFolder } from '../support/gateway-folder.js';
import { memoryInUse } from '../support/memory-in-use.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { until } from '../support/until.js';

test('versions of the file that are no longer used leave the memory, with their watches of key files', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const configFor = (scope: string) => {
    const policies = { mcpAuthentication: { ...AUTHENTICATION, requiredScopes: [scope] }, ...answer('x') };
    return parseConfigFile(JSON.stringify({ gateways: { default: { port: 0 } }, routes: [{ policies }] }), folder.path);
  };
  const { logger, lines } = createRecordingLogger();
  const gateway = createGateway(configFor('first'), logger);
  onTestFinished(() => gateway.close());
  await gateway.listen('127.0.0.1');
  const reload = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      await gateway.prepare(configFor(`scope-${i}`), new InputFiles()).use('127.0.0.1');
    }
  };
  await reload(10);
  const before = await memoryInUse();
  await reload(30);
  // Each version takes about two megabytes.
  expect((await memoryInUse()) - before).toBeLessThan(10_000_000);
  // An object is freed some collections after its owner.
  for (let i = 0; i < 5; i += 1) await memoryInUse();
  const complaints = () => lines.filter((line) => line.startsWith('error key set of')).length;
  await folder.write('pub-key', '{');
  await until(() => complaints() > 0);
  await setTimeout(500);
  expect(complaints()).toBeLessThan(5);
});
