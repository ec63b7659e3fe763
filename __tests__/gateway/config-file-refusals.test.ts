import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { UNSUPPORTED_POLICIES, UNSUPPORTED_SECTIONS } from '../../src/gateway/config/unsupported-features.js';
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
const listener = (members: object) => configText({ listener: members });

describe('parseConfigFile refuses', () => {
  test.each([...UNSUPPORTED_POLICIES])(
    'the policy %s, which nothing here would enforce',
    (name, { why, canIgnore }) => {
      const message = refusal(policies({ [name]: {} }));
      expect(message).toBe(
        `${route}.policies.${name} is not supported: ${why}.${canIgnore ? ` Or start without it: --ignore ${name}.` : ''}`,
      );
    },
  );

  test.each([...UNSUPPORTED_SECTIONS])('the section %s', (name, { why }) => {
    const message = `${name} is not supported: ${why}. Or start without it: --ignore ${name}.`;
    expect(refusal(configText({ root: { [name]: {} } }))).toBe(message);
  });

  test('several sections and policies, of which the message names all that can be left out', () => {
    const sections = refusal(configText({ root: { llm: {}, services: [], ui: {} } }));
    expect(sections).toMatch(
      /^llm is not supported: .* Or start without it and services, ui: --ignore llm,services,ui\.$/,
    );
    const others = refusal(policies({ cors: { allowOrigins: ['*'] }, a2a: {}, oidc: {}, ai: {} }));
    expect(others).toMatch(/\.a2a is not supported: .* Or start without it and ai: --ignore a2a,ai\.$/);
  });

  const cases: ReadonlyArray<readonly [what: string, text: string, message: string]> = [
    ['an empty file', '', 'the document must be a mapping, but is empty'],
    ['a list', '- a', 'the document must be a mapping, but is a list'],
    ['nothing to serve', '{}', 'the document must have mcp, or gateways with routes, or binds'],
    ['empty binds', 'binds: []', 'binds must have at least one item, but is empty'],
    ['null binds', 'binds:', 'binds must be a list, but is empty'],
    [
      'another section',
      configText({ root: { hosts: {} } }),
      'hosts is not supported. Supported here: binds, gateways, routes, mcp, backends, policies, frontendPolicies, config.',
    ],
    ['a slip in a section', 'bind: []', 'bind is not supported. Did you mean "binds"?'],
    ['no port', 'binds: [{listeners: []}]', 'binds[0].port is missing'],
    ['a port as text', bind({ port: '80' }), 'binds[0].port must be a port number (0 to 65535), but is "80"'],
    ['a high port', bind({ port: 65_536 }), 'binds[0].port must be a port number (0 to 65535), but is 65536'],
    ['a broken port', bind({ port: 1.5 }), 'binds[0].port must be a port number (0 to 65535), but is 1.5'],
    [
      'a setting of a bind',
      bind({ tunnelProtocol: 'direct' }),
      'binds[0].tunnelProtocol is not supported: connections are not tunnelled here. Use a proxy in front that ends the tunnel.',
    ],
    ['TLS without a key', listener({ tls: { cert: 'a' } }), 'binds[0].listeners[0].tls.key is missing'],
    [
      'both spellings of the oldest version of TLS',
      listener({ tls: { cert: 'a', key: 'b', minTLSVersion: 'TLS_V1_2', minTlsVersion: 'TLS_V1_3' } }),
      'binds[0].listeners[0].tls.minTlsVersion is also in binds[0].listeners[0].tls.minTLSVersion: write it once',
    ],
    [
      'both spellings of the newest version of TLS',
      listener({ tls: { cert: 'a', key: 'b', maxTLSVersion: 'TLS_V1_2', maxTlsVersion: 'TLS_V1_2' } }),
      'binds[0].listeners[0].tls.maxTlsVersion is also in binds[0].listeners[0].tls.maxTLSVersion: write it once',
    ],
    [
      'no version of TLS between the oldest and the newest',
      listener({ tls: { cert: 'a', key: 'b', minTLSVersion: 'TLS_V1_3', maxTlsVersion: 'TLS_V1_2' } }),
      'binds[0].listeners[0].tls.minTLSVersion is newer than binds[0].listeners[0].tls.maxTlsVersion',
    ],
    [
      'another protocol',
      listener({ protocol: 'TCP' }),
      'binds[0].listeners[0].protocol must be one of HTTP, HTTPS, but is "TCP"',
    ],
    [
      'HTTPS without a certificate',
      listener({ protocol: 'HTTPS' }),
      'binds[0].listeners[0] must have tls, since its protocol is HTTPS',
    ],
    [
      'a certificate with HTTP',
      listener({ protocol: 'HTTP', tls: { cert: 'a', key: 'b' } }),
      'binds[0].listeners[0].tls needs protocol: HTTPS beside it',
    ],
    [
      'a host name with a port',
      listener({ hostname: 'mcp.example.com:80' }),
      'binds[0].listeners[0].hostname must be a host name, "*.example.com" or "*", without a port, but is "mcp.example.com:80"',
    ],
    [
      'a policy of a route in a listener',
      listener({ policies: { timeout: {} } }),
      'binds[0].listeners[0].policies.timeout is not supported. Supported here: cors, jwtAuth, apiKey, authorization.',
    ],
    [
      'a policy that a listener and its route both have',
      configText({ listener: { policies: { cors: {} } }, route: { policies: { cors: {} } } }),
      `${route}.policies.cors is also in binds[0].listeners[0].policies.cors, and would count there too: write it once`,
    ],
    ['no routes', listener({ routes: [] }), 'binds[0].listeners[0].routes must have at least one item, but is empty'],
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
    ['[{path: {exact: /a, pathPrefix: /a}}]', `${at}[0].path must have exactly one of exact, pathPrefix and regex`],
    ['[{path: {}}]', `${at}[0].path must have exactly one of exact, pathPrefix and regex`],
    ['[{path: {exakt: /a}}]', `${at}[0].path.exakt is not supported. Did you mean "exact"?`],
    ['[{method: post}]', `${at}[0].method must be a method such as "POST", but is "post"`],
    [
      '[{headers: [{name: "a b", value: {exact: c}}]}]',
      `${at}[0].headers[0].name must be the name of a header, but is "a b"`,
    ],
    ['[{query: [{name: a}]}]', `${at}[0].query[0].value is missing`],
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
        `binds[0].listeners[1].routes[0].matches[0]`,
    );
  });
});

describe('parseConfigFile refuses in backends', () => {
  const at = `${route}.backends`;
  const target = `${at}[0].mcp.targets[0]`;
  const stdio = (members: string) => `[{mcp: {targets: [{stdio: {${members}}}]}}]`;
  const cases: ReadonlyArray<readonly [backends: string, message: string]> = [
    ['[]', `${at} must have at least one item, but is empty`],
    [
      '[{host: "localhost:80"}]',
      `${at}[0].host is not supported: only MCP servers are served here: mcp. Run agentgateway beside this command for it, or another proxy. Or start without it: --ignore host.`,
    ],
    ['[{mcp: {}}, {mcp: {}}]', `${at} must have exactly one item, but has 2`],
    ['[{mcp: {targets: []}}]', `${at}[0].mcp.targets must have at least one item, but is empty`],
    [
      '[{mcp: {targets: [{sse: {host: a}}]}}]',
      `${target}.sse is not supported: the HTTP+SSE transport of 2024 is not spoken. Use mcp, if the server speaks Streamable HTTP.`,
    ],
    ['[{mcp: {targets: [{name: a}]}}]', `${target} must have either stdio or mcp`],
    [
      '[{mcp: {targets: [], sessions: false}}]',
      `${at}[0].mcp.sessions is not supported. Write statefulMode: stateless beside targets.`,
    ],
    ['[{backend: other}]', `${at}[0].backend is "other", which is no name in backends`],
    [stdio('args: []'), `${target}.stdio.cmd is missing`],
    [stdio('cmd: ""'), `${target}.stdio.cmd must be text, but is ""`],
    [stdio('command: npx'), `${target}.stdio.command is not supported. Write "cmd".`],
    [stdio('cmd: x, clearEnv: true'), `${target}.stdio.clearEnv is not supported. Did you mean "clear_env"?`],
    [
      stdio('cmd: x, clear_env: true, inheritEnv: [A]'),
      `${target}.stdio.inheritEnv contradicts clear_env: remove one of them`,
    ],
    [
      stdio('cmd: " node"'),
      `${target}.stdio.cmd begins with white space, which would count as a part of the text: remove it`,
    ],
    ...['npx -y x', '/opt/no such/program --secret'].map((cmd): [string, string] => [
      stdio(`cmd: "${cmd}"`),
      `${target}.stdio.cmd must be the program only: put each of its arguments into args`,
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
