import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { mcpAuth } from '../../src/index.js';
import type { ProviderKind } from '../../src/providers/provider-kind.js';
import { PROVIDER_KINDS, PROVIDER_NAMES } from '../../src/providers/providers.js';
import { ROOT } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';

test.each(['keycloak', 'auth0', 'entra'])('samples/%s/config.yaml is a configuration', async (name) => {
  const { logger } = createRecordingLogger();
  const folder = `${ROOT}samples/${name}`;
  const gateway = createGateway(parseConfigFile(readFileSync(`${folder}/config.yaml`, 'utf8'), folder), logger);
  await gateway.close();
});

const page = readFileSync(`${ROOT}docs/providers.md`, 'utf8');

/** The cells of the rows of the first table beneath a heading. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = page.split(`# ${heading}\n`);
  const [, table = ''] = /(?:^\|.*\n){2}((?:^\|.*\n)+)/m.exec(section) ?? [];
  return table
    .trimEnd()
    .split('\n')
    .map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
}

test('docs/providers.md names every provider', () => {
  const named = rowsOf('Authorization servers').map(([cell = '']) => cell.replaceAll('`', ''));
  expect(named).toEqual(PROVIDER_NAMES);
});

test('docs/providers.md has the switches of every provider', () => {
  const written = (value: unknown) => inspect(value, { compact: true, breakLength: Number.POSITIVE_INFINITY });
  const ofKinds = PROVIDER_NAMES.filter((name) => name !== 'standard').map((name) => {
    const { switches }: ProviderKind = PROVIDER_KINDS[name];
    const known = Object.entries(switches).map(([key, value]) =>
      key === 'registrationMembers'
        ? '`registrationMembers` without `scope` and `client_uri`'
        : `\`${key}: ${written(value).replace(/^\[ | \]$/g, (bracket) => bracket.trim())}\``,
    );
    return [`\`${name}\``, known.join(', ')];
  });
  expect(rowsOf('Switches')).toEqual(ofKinds);
});

const servers = rowsOf('Servers').flatMap(([server = '', , provider = '']) =>
  [...provider.matchAll(/`([^`]+)`/g)].map(([, value = '']) => [server, value] as const),
);

const OF_ALL = {
  clientId: 'app',
  oauthProxy: { secret: 'a secret of thirty-two characters' },
  resourceMetadata: { resource: 'https://mcp.example/mcp' },
};
const ENDPOINTS = {
  issuer: 'https://login.example',
  authorizationEndpoint: 'https://login.example/authorize',
  tokenEndpoint: 'https://login.example/token',
  userinfoEndpoint: 'https://login.example/me',
};
const [identities, relayed] = [true, false].map((isIdentity) =>
  servers.filter(([, value]) => value !== 'clientId' && value.includes('allow') === isIdentity),
) as [typeof servers, typeof servers];

test.each(relayed)('docs/providers.md, %s: %s is accepted', (_server, value) => {
  // authentik needs audiences: the client id is the audience of its tokens.
  const given = { ...OF_ALL, issuer: 'https://as.example/application/o/mcp', audiences: ['app'] };
  mcpAuth({ ...given, provider: parse(value) });
});

test.each(identities)('providers.md, %s: %s is accepted', (_server, value) => {
  const [, name = ''] = /^\{ (\w+): \{ allow(?:, …)? \} \}$/.exec(value) ?? [];
  const settings = { allow: () => true, ...(value.includes('…') && ENDPOINTS) };
  mcpAuth({ ...OF_ALL, clientSecret: 'a secret', provider: { [name]: settings } as never });
});

test('docs/providers.md says of more than twenty servers how they work, and how this was tested', () => {
  const rows = rowsOf('Servers');
  expect(rows.length).toBeGreaterThanOrEqual(20);
  expect(rows.map((row) => row.length)).toEqual(rows.map(() => 5));
  expect([...new Set(rows.map((row) => row[4]))]).toEqual(['real', 'imitation', 'no']);
  const preset = rows.flatMap(([, , provider = '']) => /^`'(\w+)'`/.exec(provider)?.[1] ?? []);
  expect([...new Set(preset)].toSorted()).toEqual([...PROVIDER_NAMES].toSorted());
});

test('README names every provider', () => {
  const text = readFileSync(`${ROOT}README.md`, 'utf8');
  const [, row = ''] = /^\| needs `provider` \|.*\| `provider: (.*) \|$/m.exec(text) ?? [];
  const named = [...row.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  expect(named.toSorted()).toEqual([...PROVIDER_NAMES].toSorted());
});
