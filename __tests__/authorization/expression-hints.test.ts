import { expect, test } from 'vitest';
import { mcpAuthorization } from '../../src/index.js';

test.each<[expression: string, hint: string]>([
  // Operators and quotes of other languages.
  ['mcp.tool.name = "echo"', 'Column 15: Unexpected character: =; write ==.'],
  ['mcp.tool.name === "echo"', 'Column 17: Unexpected character: =; write ==.'],
  ['mcp.tool.name =~ "e.*"', 'write text.matches("…").'],
  ['jwt.roles.exists(r => r == "a")', 'write exists(role, role == "admin").'],
  ['jwt.a == 1 and jwt.b == 2', 'Unexpected word: and; write &&.'],
  ['jwt.a == 1 or jwt.b == 2', 'Unexpected word: or; write ||.'],
  ['jwt.a == 1 & true', 'Unexpected character: &; write &&.'],
  ['not has(jwt.a)', 'write ! instead of not.'],
  ['mcp.tool.name == “echo”', 'write straight quotes.'],
  ['jwt.roles contains "admin"', 'Unexpected word: contains; write .contains(…).'],
  // Variables.
  ['mpc.tool.name == "echo"', 'Unknown variable: mpc; write mcp, or quotes if it is a text.'],
  ['tool.name == "echo"', 'Unknown variable: tool; write mcp.tool, or quotes if it is a text.'],
  ['claims.sub == "alice"', 'Unknown variable: claims; write jwt, or quotes if it is a text.'],
  [
    'mcp.tool.name == echo',
    'Unknown variable: echo; variables begin with jwt, apiKey, mcp, request or source, and a text needs quotes.',
  ],
  ...['extAuthz', 'extProc', 'mcpGuardrails', 'basicAuth'].map((policy): [string, string] => {
    const name = /^ext/.test(policy) ? policy.toLowerCase() : policy;
    const hint = `it comes from agentgateway's ${policy}, which is not supported here. Remove it: variables begin with jwt, apiKey, mcp, request or source.`;
    return [`${name}.team == "docs"`, `Unknown variable: ${name}; ${hint}`];
  }),
  ['mcp.prompt.nmae == "a"', 'mcp.prompt.nmae is not a variable; write mcp.prompt.name.'],
  ['mcp.tool.args.a == 1', 'write mcp.tool.name, mcp.tool.target, mcp.tool.arguments.'],
  ['mcp.arguments.a == 1', 'write mcp.tool.arguments.'],
  ['mcp.tool.argument.a == 1', 'write mcp.tool.arguments.'],
  ['source.ip == "::1"', 'write source.address, source.port.'],
  // Functions.
  ['mcp.tool.name.startswith("e")', "'string.startswith(string)'; write startsWith(…)."],
  ['jwt.roles.includes("admin")', "'dyn.includes(string)'; write contains(…)."],
  ['startsWith(mcp.tool.name, "e")', 'write value.startsWith(…).'],
  ['jwt.a.replaceAll("a", "b") == "b"', 'write replace(…).'],
  ['jwt.a.trimPrefix("a") == "b"', 'write stripPrefix(…).'],
  ['stripPrefix("a", "b") == "b"', 'write value.stripPrefix(…).'],
  ['string(atob("YQ==")) == "a"', 'write base64Decode(…).'],
  ['jwt == null', 'to ask if a member exists, write has(…).'],
  ['has(jwt["role"])', 'write names with dots: has(jwt.role).'],
  // Node.js gives headers names in lower case.
  ['request.headers["X-Team"] == "a"', 'names of headers are in lower case; write request.headers["x-team"].'],
  ['has(request.headers.Authorization)', 'write request.headers["authorization"].'],
  ['"X-Team" in request.headers', 'write request.headers["x-team"].'],
  // A host is compared in lower case, without a port and without a dot at its end.
  ...[
    'request.host == "API.example.com"',
    'request.host != "api.example.com:8443"',
    '"api.example.com." == request.host',
    'request.host in ["mcp.example.com", "api.example.com:"]',
  ].map((expression): [string, string] => [expression, 'write "api.example.com".']),
  ['request.host == "[::1]:3000"', 'write "[::1]".'],
  ['request.host.startsWith("Admin.")', 'write "admin.".'],
  ['request.host.endsWith(".Example.com:8443")', 'write ".example.com".'],
  ['request.host.contains("admin:8443")', 'write "admin".'],
  ['request.host.endsWith(":8443")', 'without a port and a dot at its end.'],
])('the expression %s is refused with a hint', (expression, hint) => {
  expect(() => mcpAuthorization({ rules: [{ deny: expression }] })).toThrow(hint);
});

test.each([
  ['a wrong type', 'mcp.tool.name == 5', 'Column 1: no such overload: string == int.'],
  ['a function that does not exist', 'now() > 1', "found no matching overload for 'now()'."],
  ['a bracket that is not closed', '(true', 'Column 6: Expected RPAREN, got EOF.'],
])('%s is refused without a hint that may be wrong', (_what, expression, message) => {
  expect(() => mcpAuthorization({ rules: [expression] })).toThrow(message);
});

test.each([
  'request.host == "api.example.com"',
  'request.host in ["[::1]", "10.0.0.1"]',
  'request.host == jwt.host',
  'request.host.startsWith("[2001:db8:85")',
])('the expression %s is accepted', (expression) => {
  expect(() => mcpAuthorization({ rules: [expression] })).not.toThrow();
});
