import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { PROVIDERS } from '../../src/providers/providers.js';
import { ROOT } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';

test.each(['keycloak', 'auth0', 'entra'])('samples/%s/config.yaml is a configuration', async (name) => {
  const { logger } = createRecordingLogger();
  const folder = `${ROOT}samples/${name}`;
  const gateway = createGateway(parseConfigFile(readFileSync(`${folder}/config.yaml`, 'utf8'), folder), logger);
  await gateway.close();
});

test('docs/providers.md names every provider', () => {
  const text = readFileSync(`${ROOT}docs/providers.md`, 'utf8');
  const named = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(named).toEqual(Object.keys(PROVIDERS));
});

test('README names every provider', () => {
  const text = readFileSync(`${ROOT}README.md`, 'utf8');
  const [, row = ''] = /^\| needs `provider` \|.*\| `provider: (.*) \|$/m.exec(text) ?? [];
  const named = [...row.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(Object.keys(PROVIDERS).toSorted());
});
