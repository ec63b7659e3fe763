import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { FIRST_FILE } from '../../src/gateway/init-command.js';
import { runSchemaCommand, SCHEMA_HINT, SCHEMA_USAGE } from '../../src/gateway/schema-command.js';
import { codeBlocksOf, PAGES } from '../support/code-blocks.js';
import { configText } from '../support/config-text.js';
import { FILE_SCHEMA, schemaCheck } from '../support/file-schema.js';
import { ROOT } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const faultsOf = schemaCheck();

const samples = ['auth0', 'dev-issuer', 'entra', 'keycloak', 'quickstart', 'remote', 'rules'];
/** Blocks of YAML that are not for Kubernetes. */
const blocks = PAGES.flatMap(codeBlocksOf).filter(
  ({ language, code }) => language === 'yaml' && !code.startsWith('apiVersion:'),
);

/** The blocks that are part of a file, with the part. */
const PARTS: Readonly<Record<string, string>> = {
  'docs/limits.md': 'route',
  'docs/providers.md': 'mcpAuthentication',
};

describe('the schema accepts', () => {
  test.each(samples)('samples/%s/config.yaml', (name) => {
    expect(faultsOf(parse(readFileSync(`${ROOT}samples/${name}/config.yaml`, 'utf8')))).toEqual([]);
  });

  test.each(blocks)('the file of $page, line $line', ({ page, code }) => {
    const value = parse(code) ?? {};
    expect(schemaCheck(PARTS[page])(value)).toEqual([]);
  });

  test('the file that "init" writes', () => {
    expect(faultsOf(parse(FIRST_FILE))).toEqual([]);
  });

  test.each<[string, object]>([
    ['a port', { port: '$PORT' }],
    ['a number', { maxSessions: `\${MAX:-5}` }],
    ['a word', { prefixMode: '$MODE' }],
    ['true or false', { dnsRebindingProtection: '$GUARD' }],
    ['a time', { policies: { timeout: { requestTimeout: '$TIME' } } }],
  ])('a variable in place of %s', (_what, members) => {
    expect(faultsOf({ mcp: { targets: [{ stdio: { cmd: 'node' } }], ...members } })).toEqual([]);
  });
});

function refusal(text: string): string | undefined {
  const { logger } = createRecordingLogger();
  try {
    void createGateway(parseConfigFile(text, '/'), logger).close();
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

const policies = (members: object) => configText({ route: { policies: members } });
const target = (members: object) => configText({ route: { backends: [{ mcp: { targets: [members] } }] } });
const login = (members: object) =>
  policies({ mcpAuthentication: { issuer: 'https://a.example', audiences: ['a'], ...members } });

describe('the schema and the command refuse', () => {
  test.each<[string, string, place: string]>([
    ['an unknown section', configText({ root: { hosts: [] } }), '/'],
    ['a section that stays out', configText({ root: { llm: {} } }), '/'],
    ['a list that must be a mapping', '[]', '/'],
    ['a port as text', configText({ bind: { port: '3000' } }), '/binds/0/port'],
    ['a port that there is not', configText({ bind: { port: 70_000 } }), '/binds/0/port'],
    ['a missing port', 'binds: [{ listeners: [] }]', '/binds/0'],
    ['a listener without routes', configText({ listener: { routes: [] } }), '/binds/0/listeners/0/routes'],
    ['an unknown protocol', configText({ listener: { protocol: 'TCP' } }), '/binds/0/listeners/0/protocol'],
    ['an unknown policy', policies({ mcpAuthentcation: {} }), '/binds/0/listeners/0/routes/0/policies'],
    ['a policy that stays out', policies({ extAuthz: {} }), '/binds/0/listeners/0/routes/0/policies'],
    ['an empty policy', policies({ cors: null }), '/binds/0/listeners/0/routes/0/policies/cors'],
    ['an unknown option of a login', login({ audience: 'a' }), '/policies/mcpAuthentication'],
    ['an option that only code can give', login({ extra: {} }), '/policies/mcpAuthentication'],
    ['a number as text', login({ clockToleranceSeconds: '5' }), '/mcpAuthentication/clockToleranceSeconds'],
    ['a list as text', login({ requiredScopes: 'a b' }), '/mcpAuthentication/requiredScopes'],
    ['an unknown mode', login({ mode: 'lax' }), '/mcpAuthentication/mode'],
    ['an unknown provider', login({ provider: 'key' }), '/mcpAuthentication/provider'],
    ['two levels down, an unknown key', login({ tokenCache: { max: 1 } }), '/mcpAuthentication/tokenCache'],
    ['an unknown rule', policies({ authorization: { rules: [{ permit: 'true' }] } }), '/authorization/rules/0'],
    ['a limit without an interval', policies({ localRateLimit: [{ maxTokens: 1 }] }), '/localRateLimit/0'],
    ['a time without a unit', policies({ timeout: { requestTimeout: '10' } }), '/timeout/requestTimeout'],
    ['what is no method of MCP', login({}).replace('"mcpAuthentication"', '"mcpScopes"'), '/policies/mcpScopes'],
    ['a target that stays out', target({ sse: { host: 'a' } }), '/mcp/targets/0'],
    ['an argument that is a number', target({ stdio: { cmd: 'a', args: [1] } }), '/stdio/args/0'],
    ['an option under its name in code', target({ stdio: { command: 'a' } }), '/stdio'],
    ['a setting that must be true or false', target({ stdio: { cmd: 'a', clear_env: 'yes' } }), '/stdio/clear_env'],
    ['an option of programs, of a server', target({ mcp: { host: 'a', warmChildren: 1 } }), '/targets/0/mcp'],
  ])('%s', (_what, text, place) => {
    expect(refusal(text)).toEqual(expect.any(String));
    expect(faultsOf(parse(text)).map((fault) => fault.replace(/ .*/, ''))).toContainEqual(
      expect.stringMatching(`${place}$`),
    );
  });
});

test.each([
  ...samples.map((name) => [`samples/${name}/config.yaml`, readFileSync(`${ROOT}samples/${name}/config.yaml`, 'utf8')]),
  ['the file of "init"', FIRST_FILE],
])('%s leads editors to the schema, and says how it is made', (_file, text) => {
  expect(text).toMatch(new RegExp(`^${SCHEMA_HINT.replaceAll('$', '\\$')}\n`));
});

test('every key has a description', () => {
  const { $defs, ...file } = FILE_SCHEMA;
  const mappings = Object.entries<{ properties?: Record<string, object> }>({ ...$defs, file });
  const keys = mappings.flatMap(([name, { properties = {} }]) =>
    Object.entries(properties).map(([key, schema]) => [`${name}.${key}`, 'description' in schema] as const),
  );
  expect(keys.length).toBeGreaterThan(200);
  expect(keys.filter(([, isDescribed]) => !isDescribed).map(([key]) => key)).toEqual([]);
});

test('the schema has the defaults of the code', () => {
  expect(FILE_SCHEMA.$defs.servers.properties.maxPendingRequests).toEqual({
    description: 'Requests in flight in one session',
    anyOf: [{ type: 'integer', minimum: 1 }, { $ref: '#/$defs/variable' }],
    default: 64,
  });
});

test('"schema" shows its usage, takes no other argument, and works without the documentation', () => {
  const docs = new URL(`file://${ROOT}docs/`);
  expect(runSchemaCommand(['--help'], docs)).toBe(SCHEMA_USAGE);
  expect(() => runSchemaCommand(['-f', 'config.yaml'], docs)).toThrow('See express-mcp-auth schema --help.');
  expect(JSON.parse(runSchemaCommand([], new URL('file:///nowhere/')))).toHaveProperty('$defs.route');
});
