import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { ConfigNode } from '../../src/gateway/config/config-node.js';
import { ExpandedTexts } from '../../src/gateway/config/variables.js';
import { refuseWhiteSpace } from '../../src/gateway/config/white-space.js';
import { everyMapping, WHOLE_FILE } from '../../src/gateway/schema/mappings.js';
import type { ValueType } from '../../src/options/value-type.js';

const LOGIN = { resourceMetadata: { resource: 'https://mcp.example.com/mcp' }, jwks: { file: 'jwks.json' } };
const withLogin = (members: object) => withPolicies({ mcpAuthentication: { ...LOGIN, ...members } });
const withPolicies = (policies: object) => withRoot({ policies });
const withRoot = (members: object, config: object = {}) => ({
  mcp: { targets: [{ name: 'a', stdio: { cmd: 'node' } }], ...members },
  config,
});

function refusalOf(file: object, env: Readonly<Record<string, string>> = {}): string | undefined {
  try {
    parseConfigFile(JSON.stringify(file), '/etc/gateway', { texts: new ExpandedTexts(env) });
  } catch (error) {
    expect(error).toHaveProperty('name', 'StartupError');
    return (error as Error).message;
  }
  return undefined;
}

const END =
  'has $V, whose value ends with a line break, which would count as a part of the text: set the variable without it';

test.each<[string, object]>([
  ['mcp.policies.mcpAuthentication.issuer', withLogin({ issuer: '$V' })],
  ['mcp.policies.mcpAuthentication.issuer', withLogin({ issuer: 'https://auth.example.com/$V/mcp' })],
  ['mcp.policies.mcpAuthentication.audiences[1]', withLogin({ audiences: ['a', '$V'] })],
  ['mcp.policies.mcpAuthentication.clientSecret', withLogin({ clientSecret: '$V' })],
  ['mcp.policies.mcpAuthentication.clockToleranceSeconds', withLogin({ clockToleranceSeconds: '$V' })],
  ['mcp.policies.apiKey.keys[0].key', withPolicies({ apiKey: { keys: [{ key: '$V' }] } })],
  [
    'mcp.policies.apiKey.keys[0].metadata.team[0]',
    withPolicies({ apiKey: { keys: [{ metadata: { team: ['$V'] } }] } }),
  ],
  ['mcp.policies.mcpScopes["tools/call"][0]', withPolicies({ mcpScopes: { 'tools/call': ['$V'] } })],
  ['mcp.policies.mcpAuthorization.rules[0]', withPolicies({ mcpAuthorization: { rules: ['jwt.sub == "$V"'] } })],
  ['mcp.policies.backendAuth.key', withPolicies({ backendAuth: { key: '$V' } })],
  ['mcp.policies.requestHeaderModifier.set.x', withPolicies({ requestHeaderModifier: { set: { x: '$V' } } })],
  ['mcp.port', withRoot({ port: '$V' })],
  ['config.adminPassword', withRoot({}, { adminPassword: '$V' })],
  ['config.session.key[0]', withRoot({}, { session: { key: ['$V'] } })],
  ['config.store.redis', withRoot({}, { store: { redis: '$V' } })],
  ['config.logging.level', withRoot({}, { logging: { level: '$V' } })],
])('%s is refused with a variable whose value ends with a line break', (path, file) => {
  expect(refusalOf(file, { V: 'value\n' })).toBe(`${path} ${END}`);
});

test.each([
  ['https://auth.example.com ', 'ends with white space, which would count as a part of the text: remove it'],
  ['https://auth.example.com\n', 'ends with a line break, which would count as a part of the text: remove it'],
  ['\thttps://auth.example.com', 'begins with white space, which would count as a part of the text: remove it'],
  ['\u00a0', 'ends with white space, which would count as a part of the text: remove it'],
])('the issuer %j is refused', (issuer, problem) => {
  expect(refusalOf(withLogin({ issuer }))).toBe(`mcp.policies.mcpAuthentication.issuer ${problem}`);
});

test.each<[string, object]>([
  ['environments and arguments of programs', { targets: [{ stdio: { cmd: 'x', env: { A: '$V' }, args: ['$V'] } }] }],
  ['what a server announces of itself', { serverInfo: { name: 'a', version: '1', title: '$V' } }],
  ['a fixed answer', { targets: [{ stdio: { cmd: 'x' } }], policies: { directResponse: { status: 503, body: '$V' } } }],
])('%s may have it', (_what, members) => {
  expect(refusalOf(withRoot(members), { V: 'value\n' })).toBeUndefined();
});

test('an expression may end with a line break, as a block of YAML does', () => {
  expect(refusalOf(withPolicies({ authorization: { rules: ['request.path == "/mcp"\n'] } }))).toBeUndefined();
});

/** Each text of the schema is compared with something, except these. A key that comes later is refused with white space. */
const AT_ENDS = [
  'authorization.rules',
  'config.tracing.clientSampling',
  'config.tracing.fields.add',
  'config.tracing.randomSampling',
  'frontendPolicies.accessLog.add',
  'frontendPolicies.accessLog.filter',
  'frontendPolicies.tracing.attributes',
  'frontendPolicies.tracing.clientSampling',
  'frontendPolicies.tracing.filter',
  'frontendPolicies.tracing.randomSampling',
  'frontendPolicies.tracing.resources',
  'github login.allow',
  'gitlab login.allow',
  'google login.allow',
  'mcpAuthorization.rules',
  'oauth2 login.allow',
  'rule.allow',
  'rule.deny',
  'rule.require',
];
const EVERYWHERE = [
  'callerToken.key',
  'credential header.prefix',
  'directResponse.body',
  'header of a token.prefix',
  'issuer.jwks',
  'jwtAuth provider.jwks',
  'jwtAuth.jwks',
  'jwtSign.signingKey',
  'mcpAuthentication.jwks',
  'remote.host',
  'serverInfo.*',
  'serverInfo.name',
  'serverInfo.version',
  'stdio.args',
  'stdio.env',
];

/** A value with a padded text that this type can have. Other mappings have rows of their own. */
function paddedValue(type: ValueType | undefined): unknown {
  switch (type?.kind) {
    case 'text':
    case 'any':
      return ' x';
    case 'list':
      return inside(type.of, (value) => [value]);
    case 'record':
      return inside(type.of, (value) => ({ name: value }));
    case 'either':
      return type.types.map(paddedValue).find((value) => value !== undefined);
    default:
      return undefined;
  }
}

function inside(type: ValueType, wrap: (value: unknown) => unknown): unknown {
  const value = paddedValue(type);
  return value === undefined ? undefined : wrap(value);
}

test('every other text of the file is refused with white space at an end', () => {
  const free = [...everyMapping(WHOLE_FILE).values()].flatMap((mapping) => {
    const others = mapping.others === undefined ? [] : ([['*', mapping.others]] as const);
    const rows = [...Object.entries(mapping.members), ...others];
    return rows.flatMap(([key, { type }]) => {
      const value = paddedValue(type);
      if (value === undefined) return [];
      const node = new ConfigNode({ [key === '*' ? nameLike(mapping.others) : key]: value });
      try {
        refuseWhiteSpace(node, { types: [mapping], allowed: 'nowhere' });
        return [`${mapping.name}.${key}`];
      } catch {
        return [];
      }
    });
  });
  expect(free.sort()).toEqual([...AT_ENDS, ...EVERYWHERE].sort());
});

/** A name that the pattern of other keys matches. */
function nameLike(others: { readonly pattern: RegExp } | undefined): string {
  const found = ['other', 'tools/call'].find((name) => others?.pattern.test(name));
  return found ?? expect.unreachable(`no name for ${others?.pattern}`);
}
