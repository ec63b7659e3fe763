import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { withDevIssuer } from '../../src/gateway/config/dev-issuer-policies.js';
import { devIssuerStandIn } from '../../src/gateway/dev-issuer/dev-issuer.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { INIT_USAGE, runInitCommand } from '../../src/gateway/init-command.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { createRecordingLogger } from '../support/recording-logger.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  return () => folder.remove();
});

test('writes a file that starts with the development issuer', async () => {
  const file = join(folder.path, 'config.yaml');
  expect(runInitCommand(['-f', file])).toContain(`npx express-mcp-auth -f ${file} --host 127.0.0.1 --dev-issuer`);
  const config = withDevIssuer(parseConfigFile(await readFile(file, 'utf8'), folder.path), devIssuerStandIn(9000));
  const { lines, logger } = createRecordingLogger();
  const gateway = createGateway(config, logger);
  expect([gateway.clientAddresses, gateway.warningsFor('127.0.0.1'), lines]).toEqual([
    ['http://localhost:3000/mcp'],
    [],
    [],
  ]);
  await gateway.close();
});

test('leaves a file that exists as it is', async () => {
  const file = join(folder.path, 'own.yaml');
  await writeFile(file, 'mine');
  expect(() => runInitCommand(['-f', file])).toThrow(`${file}: the file exists, and is left as it is`);
  expect(await readFile(file, 'utf8')).toBe('mine');
});

test('shows its usage, and refuses other options and folders that are not there', () => {
  expect(runInitCommand(['--help'])).toBe(INIT_USAGE);
  expect(() => runInitCommand(['--force'])).toThrow('See express-mcp-auth init --help.');
  expect(() => runInitCommand(['-f', join(folder.path, 'none', 'a.yaml')])).toThrow('it cannot be written (ENOENT)');
});
