import { expect, test } from 'vitest';
import type { AuthorizationRuleOption } from '../../src/index.js';
import { createRuledApp, toolCall } from '../support/ruled-app.js';

// The expressions of agentgateway's documentation on MCP, HTTP and network authorization. Each is asked about calls for which the documentation says
// what happens.

interface Asked {
  readonly tool?: string;
  /** `null`: without a token. */
  readonly claims?: object | null;
  readonly headers?: Record<string, string>;
  readonly path?: string;
  readonly from?: string;
}

type Row = readonly [what: string, rules: readonly AuthorizationRuleOption[], asked: Asked, isAllowed: boolean];

const MCP = [
  'mcp.tool.name == "echo"',
  'jwt.sub == "test-user" && mcp.tool.name == "add"',
  'mcp.tool.name == "printEnv" && jwt.nested.key == "value"',
];
const TARGETS = [
  'mcp.tool.target == "public-tools"',
  'mcp.tool.target == "admin-tools" && has(jwt.sub) && "admin" in jwt.roles',
];
const HTTP = [
  { allow: 'request.path == "/authz/public"' },
  { deny: 'request.path == "/authz/deny"' },
  { require: 'jwt.aud == "my-service"' },
  'request.headers["x-allow"] == "true"',
];
const ORGS = [
  { require: 'jwt.aud == "llm-api"' },
  { deny: 'request.headers["x-org"] == "blocked"' },
  'request.headers["x-org"] == "engineering"',
];
const INTERNAL = ["jwt.sub == 'alice'", { require: "request.headers['x-internal'] == 'true'" }];
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(
  (range) => `cidr("${range}").containsIP(source.address)`,
);

test.each<Row>([
  ['anyone may call echo', MCP, { tool: 'echo', claims: null }, true],
  ['one user may call add', MCP, { tool: 'add', claims: { sub: 'test-user' } }, true],
  ['another may not', MCP, { tool: 'add', claims: { sub: 'alice' } }, false],
  ['nor an anonymous caller', MCP, { tool: 'add', claims: null }, false],
  ['a nested claim', MCP, { tool: 'printEnv', claims: { nested: { key: 'value' } } }, true],
  ['a nested claim of another value', MCP, { tool: 'printEnv', claims: { nested: { key: 'other' } } }, false],
  ['a nested claim that is missing', MCP, { tool: 'printEnv' }, false],
  ['a tool that no rule names', MCP, { tool: 'delete' }, false],

  ['a public target', TARGETS, { tool: 'public-tools_x', claims: null }, true],
  ['a target for admins', TARGETS, { tool: 'admin-tools_x', claims: { roles: ['admin'] } }, true],
  ['a target for admins, for others', TARGETS, { tool: 'admin-tools_x', claims: { roles: ['user'] } }, false],
  ['a target for admins, without roles', TARGETS, { tool: 'admin-tools_x' }, false],
  ['a target for admins, anonymous', TARGETS, { tool: 'admin-tools_x', claims: null }, false],

  ['an allowed path, with the audience', HTTP, { path: '/authz/public', claims: { aud: 'my-service' } }, true],
  ['an allowed path, without the audience', HTTP, { path: '/authz/public', claims: { aud: 'other' } }, false],
  ['an allowed path, anonymous', HTTP, { path: '/authz/public', claims: null }, false],
  [
    'a denied path',
    HTTP,
    { path: '/authz/deny', claims: { aud: 'my-service' }, headers: { 'x-allow': 'true' } },
    false,
  ],
  [
    'another path with the header',
    HTTP,
    { path: '/x', claims: { aud: 'my-service' }, headers: { 'x-allow': 'true' } },
    true,
  ],
  ['another path without the header', HTTP, { path: '/x', claims: { aud: 'my-service' } }, false],
  ['require: a missing claim denies', [{ require: 'jwt.aud == "my-service"' }], { claims: null }, false],
  ['deny: without a token it does not match', [{ deny: 'jwt.aud != "my-service"' }], { claims: null }, true],
  ['deny: another audience', [{ deny: 'jwt.aud != "my-service"' }], { claims: { aud: 'other' } }, false],
  ['an organisation', ORGS, { claims: { aud: 'llm-api' }, headers: { 'x-org': 'engineering' } }, true],
  ['a blocked organisation', ORGS, { claims: { aud: 'llm-api' }, headers: { 'x-org': 'blocked' } }, false],
  ['no organisation: the deny fails', ORGS, { claims: { aud: 'llm-api' } }, false],

  [
    'a group that contains',
    [{ allow: 'request.path == "/admin" && jwt.groups.contains("admins")' }],
    { path: '/admin', claims: { groups: ['admins'] } },
    true,
  ],
  [
    'a group that does not',
    [{ allow: 'request.path == "/admin" && jwt.groups.contains("admins")' }],
    { path: '/admin', claims: { groups: ['users'] } },
    false,
  ],
  ...[
    '"read:tools" in jwt.permissions',
    '"mcp.admin" in jwt.roles',
    '"mcp-agent" in jwt.groups',
    '"Tenant Admin" in jwt.roles',
    '"AI-Users" in jwt.groups',
  ].flatMap((rule): Row[] => {
    const [, value = '', claim = ''] = /^"(.*)" in jwt\.(.*)$/.exec(rule) ?? [];
    return [
      [`${value}, among others`, [rule], { claims: { [claim]: ['other', value] } }, true],
      [`${value} missing`, [rule], { claims: { [claim]: ['other'] } }, false],
      [`${value}, without the claim`, [rule], {}, false],
    ];
  }),
  [
    'a role of the realm',
    ['"mcp-admin" in jwt.realm_access.roles'],
    { claims: { realm_access: { roles: ['mcp-admin'] } } },
    true,
  ],
  ['no role of the realm', ['"mcp-admin" in jwt.realm_access.roles'], { claims: { realm_access: {} } }, false],

  ['allow and require', INTERNAL, { claims: { sub: 'alice' }, headers: { 'x-internal': 'true' } }, true],
  ['allow without require', INTERNAL, { claims: { sub: 'alice' } }, false],
  ['require without allow', INTERNAL, { claims: { sub: 'bob' }, headers: { 'x-internal': 'true' } }, false],
  ['neither', INTERNAL, { claims: { sub: 'bob' } }, false],
  ['has() of a claim', ["has(jwt.group) && jwt.group == 'eng'"], { claims: { group: 'eng' } }, true],
  ['has() of a claim that is missing', ["has(jwt.group) && jwt.group == 'eng'"], {}, false],
  ['the double negative that the documentation warns of', [{ deny: "jwt.group != 'eng'" }], { claims: {} }, false],
  ['a denied prefix', [{ deny: "request.path.startsWith('/admin')" }, 'true'], { path: '/admin/x' }, false],
  ['another prefix', [{ deny: "request.path.startsWith('/admin')" }, 'true'], { path: '/mcp' }, true],

  ['an address in a range', [{ require: "cidr('10.0.0.0/8').containsIP(source.address)" }], { from: '10.1.2.3' }, true],
  ['an address outside', [{ require: "cidr('10.0.0.0/8').containsIP(source.address)" }], { from: '11.1.2.3' }, false],
  ['one of several ranges', [{ allow: PRIVATE.join(' || ') }], { from: '192.168.3.4' }, true],
  ['none of several ranges', [{ allow: PRIVATE.join(' || ') }], { from: '2001:db8::1' }, false],
  [
    'one address',
    [{ allow: 'source.address == "10.0.0.0" || source.address == "10.0.0.1"' }],
    { from: '10.0.0.1' },
    true,
  ],
  ['a denied address', [{ deny: 'source.address == "192.168.1.100"' }], { from: '192.168.1.100' }, false],
  ['a header with a default', ['default(request.headers["x-user-id"], "anonymous") == "anonymous"'], {}, true],
  ['a claim with a default', ['default(jwt.role, "user") == "user"'], { claims: null }, true],
  [
    'a condition on the method',
    ['request.method == "POST" || request.method == "PUT" || request.method == "DELETE"'],
    {},
    true,
  ],
])(
  '%s',
  async (_what, rules, { tool = 'echo', claims = {}, headers = {}, path = '/mcp', from = '127.0.0.1' }, isAllowed) => {
    const backend = { resolve: (_kind: string, name: string) => ({ target: name.split('_')[0] as string, name }) };
    const { post, received } = createRuledApp(
      { rules, backend },
      { path, trustProxy: true, policy: { audiences: ['https://mcp.example/mcp', 'my-service', 'llm-api', 'other'] } },
    );
    await post(toolCall(tool), claims as never, { 'x-forwarded-for': from, ...headers });
    expect(received.length).toBe(isAllowed ? 1 : 0);
  },
);
