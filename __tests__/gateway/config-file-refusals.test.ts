import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { configText, route } from '../support/config-text.js';

function refusal(text: string): string {
  try {
    parseConfigFile(text, '/etc/gateway');
  } catch (error) {
    expect(error).toHaveProperty('name', 'StartupError');
    return (error as Error).message;
  }
  throw new Error('the file was accepted');
}

const policies = (members: object) => configText({ route: { policies: members } });
const bind = (members: object) => configText({ bind: members });
const notAPolicy =
  'is not supported. Supported here: cors, mcpAuthentication, mcpScopes, mcpAuthorization, localRateLimit, backendAuth, backendTLS, requestHeaderModifier.';
const listener = (members: object) => configText({ listener: members });

describe('parseConfigFile refuses', () => {
  test.each([
    ...['jwtAuth', 'oidc', 'basicAuth', 'apiKey', 'authorization', 'extAuthz', 'csrf'],
    ...['mcpGuardrails', 'remoteRateLimit', 'timeout', 'urlRewrite', 'somethingElse'],
  ])('the policy %s, which nothing here would enforce', (name) => {
    expect(refusal(policies({ [name]: {} }))).toBe(`${route}.policies.${name} ${notAPolicy}`);
  });

  const inListener = 'Supported here: routes, name, hostname, protocol.';
  const cases: ReadonlyArray<readonly [what: string, text: string, message: string]> = [
    ['an empty file', '', 'the document must be a mapping, but is empty'],
    ['a list', '- a', 'the document must be a mapping, but is a list'],
    ['no binds', '{}', 'binds is missing'],
    ['empty binds', 'binds: []', 'binds must have at least one item, but is empty'],
    ['null binds', 'binds:', 'binds must be a list, but is empty'],
    ['another section', configText({ root: { gateways: {} } }), 'gateways is not supported. Supported here: binds.'],
    ['a slip in a section', 'bind: []', 'bind is not supported. Did you mean "binds"?'],
    ['no port', 'binds: [{listeners: []}]', 'binds[0].port is missing'],
    ['a port as text', bind({ port: '80' }), 'binds[0].port must be a port number (0 to 65535), but is "80"'],
    ['a high port', bind({ port: 65_536 }), 'binds[0].port must be a port number (0 to 65535), but is 65536'],
    ['a broken port', bind({ port: 1.5 }), 'binds[0].port must be a port number (0 to 65535), but is 1.5'],
    [
      'a setting of a bind',
      bind({ tunnelProtocol: 'direct' }),
      'binds[0].tunnelProtocol is not supported. Supported here: port, listeners.',
    ],
    ['TLS', listener({ tls: { cert: 'a' } }), `binds[0].listeners[0].tls is not supported. ${inListener}`],
    [
      'another protocol',
      listener({ protocol: 'HTTPS' }),
      'binds[0].listeners[0].protocol is not supported, except "HTTP"',
    ],
    [
      'a host name, since every host would be answered',
      listener({ hostname: 'mcp.example.com' }),
      'binds[0].listeners[0].hostname is not supported, except "*": a listener accepts every host',
    ],
    [
      'policies of a listener',
      listener({ policies: { jwtAuth: {} } }),
      `binds[0].listeners[0].policies is not supported. ${inListener}`,
    ],
    ['no routes', listener({ routes: [] }), 'binds[0].listeners[0].routes must have at least one item, but is empty'],
    [
      'host names of a route',
      configText({ route: { hostnames: ['a.example'] } }),
      `${route}.hostnames is not supported. Supported here: backends, name, matches, policies.`,
    ],
    ['empty policies', configText({ route: { policies: null } }), `${route}.policies must be a mapping, but is empty`],
    [
      'an empty policy, which protects nothing',
      policies({ mcpAuthentication: null }),
      `${route}.policies.mcpAuthentication must be a mapping, but is empty`,
    ],
    [
      'a slip in a policy',
      policies({ mcpAuthentcation: {} }),
      `${route}.policies.mcpAuthentcation is not supported. Did you mean "mcpAuthentication"?`,
    ],
    [
      'a member that only code can give',
      policies({ mcpAuthentication: { logger: {} } }),
      `${route}.policies.mcpAuthentication.logger is not supported`,
    ],
    ['a key that is not a name', policies({ 'a b': 1 }), `${route}.policies["a b"] ${notAPolicy}`],
    [
      '__proto__ as a key',
      policies({ ['__proto__']: { mcpAuthentication: {} } }),
      `${route}.policies.__proto__ ${notAPolicy}`,
    ],
    [
      'a variable, which agentgateway would expand',
      policies({ mcpAuthentication: { issuer: 'https://$HOST/' } }),
      `${route}.policies.mcpAuthentication.issuer has $HOST, but variables are not expanded: write the value itself`,
    ],
    [
      'the same port twice',
      'binds: [&b {port: 1, listeners: [{routes: [{backends: [{mcp: {targets: [{stdio: {cmd: x}}]}}]}]}]}, *b]',
      'the document has port 1 twice, in binds[0] and in binds[1]',
    ],
  ];
  test.each(cases)('%s', (_what, text, message) => {
    expect(refusal(text)).toBe(message);
  });
});

describe('parseConfigFile refuses in matches', () => {
  const at = `${route}.matches`;
  const cases: ReadonlyArray<readonly [matches: string, message: string]> = [
    ['[]', `${at} must have at least one item, but is empty`],
    ['[{path: {regex: ".*"}}]', `${at}[0].path.regex is not supported. Supported here: exact, pathPrefix.`],
    ['[{path: {exact: /a, pathPrefix: /a}}]', `${at}[0].path must have either exact or pathPrefix`],
    ['[{path: {}}]', `${at}[0].path must have either exact or pathPrefix`],
    ['[{path: {exakt: /a}}]', `${at}[0].path.exakt is not supported. Did you mean "exact"?`],
    ['[{path: {exact: /a}, method: POST}]', `${at}[0].method is not supported. Supported here: path.`],
    ['[{path: {exact: /a}, headers: []}]', `${at}[0].headers is not supported. Supported here: path.`],
    ['[{}]', `${at}[0].path is missing`],
    [
      '[{path: {exact: mcp}}]',
      `${at}[0].path.exact must be a path such as "/mcp", percent-encoded and without a query, but is "mcp"`,
    ],
    [
      '[{path: {exact: "/mcp?x"}}]',
      `${at}[0].path.exact must be a path such as "/mcp", percent-encoded and without a query, but is "/mcp?x"`,
    ],
    [
      '[{path: {pathPrefix: "/ä"}}]',
      `${at}[0].path.pathPrefix must be a path such as "/mcp", percent-encoded and without a query, but is "/ä"`,
    ],
  ];
  test.each(cases)('%s', (matches, message) => {
    expect(refusal(`binds: [{port: 1, listeners: [{routes: [{backends: [], matches: ${matches}}]}]}]`)).toBe(message);
  });

  test.each([
    ['exact: /a', 'exact: /a', 'exact /a'],
    ['pathPrefix: /a', 'pathPrefix: /a/', 'pathPrefix /a'],
    ['pathPrefix: /', 'pathPrefix: /', 'pathPrefix /'],
  ])('a second route for %s', (first, second, named) => {
    const one = (path: string) =>
      `{backends: [{mcp: {targets: [{stdio: {cmd: x}}]}}], matches: [{path: {${path}}}, {path: {${path}}}]}`;
    const text = `binds: [{port: 1, listeners: [{routes: [${one(first)}]}, {routes: [${one(second)}]}]}]`;
    expect(refusal(text)).toBe(
      `binds[0] has ${named} twice, in binds[0].listeners[0].routes[0] and in ` +
        `binds[0].listeners[1].routes[0].matches[0].path.${second.split(':')[0]}`,
    );
  });
});

describe('parseConfigFile refuses in backends', () => {
  const at = `${route}.backends`;
  const target = `${at}[0].mcp.targets[0]`;
  const stdio = (members: string) => `[{mcp: {targets: [{stdio: {${members}}}]}}]`;
  const cases: ReadonlyArray<readonly [backends: string, message: string]> = [
    ['[]', `${at} must have at least one item, but is empty`],
    ['[{host: "localhost:80"}]', `${at}[0].host is not supported. Supported here: mcp, policies.`],
    ['[{mcp: {}}, {mcp: {}}]', `${at} must have exactly one item, but has 2`],
    ['[{mcp: {targets: []}}]', `${at}[0].mcp.targets must have at least one item, but is empty`],
    ['[{mcp: {targets: [{}, {}, {}]}}]', `${at}[0].mcp.targets must have exactly one item, but has 3`],
    [
      '[{mcp: {targets: [{sse: {host: a}}]}}]',
      `${target}.sse is not supported. Supported here: name, stdio, mcp, policies.`,
    ],
    ['[{mcp: {targets: [{name: a}]}}]', `${target} must have either stdio or mcp`],
    [
      '[{mcp: {targets: [], dnsRebindingProtection: true}}]',
      `${at}[0].mcp.dnsRebindingProtection is not supported. Supported here: targets.`,
    ],
    [stdio('args: []'), `${target}.stdio.cmd is missing`],
    [stdio('cmd: ""'), `${target}.stdio.cmd must be text, but is ""`],
    [stdio('command: npx'), `${target}.stdio.command is not supported. Write "cmd".`],
    [
      stdio('cmd: x, clearEnv: true'),
      `${target}.stdio.clearEnv is not supported. Supported here: cmd, args, env, startTimeoutSeconds.`,
    ],
    ...['npx -y x', ' node', '/opt/no such/program --secret'].map((cmd): [string, string] => [
      stdio(`cmd: "${cmd}"`),
      `${target}.stdio.cmd must be the program only: put each of its arguments into args`,
    ]),
    ...['0', '1.5', '-1', '"10"'].map((seconds): [string, string] => [
      stdio(`cmd: x, startTimeoutSeconds: ${seconds}`),
      `${target}.stdio.startTimeoutSeconds must be a whole number of at least 1, but is ${seconds}`,
    ]),
    [stdio('cmd: x, args: --verbose'), `${target}.stdio.args must be a list, but is "--verbose"`],
    [stdio('cmd: x, args: [-p, 80]'), `${target}.stdio.args[1] must be text: put the number in quotes`],
    [stdio('cmd: x, env: {DEBUG: true}'), `${target}.stdio.env.DEBUG must be text: put the boolean in quotes`],
    [stdio('cmd: x, env: {A: }'), `${target}.stdio.env.A must be text, but is empty`],
    [stdio('cmd: x, env: [A]'), `${target}.stdio.env must be a mapping, but is a list`],
  ];
  test.each(cases)('%s', (backends, message) => {
    expect(refusal(`binds: [{port: 1, listeners: [{routes: [{backends: ${backends}}]}]}]`)).toBe(message);
  });
});
