import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { type FileGateway, refusal, scripted, serveFile } from '../support/file-gateway.js';
import { signer } from '../support/good-policy.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { until } from '../support/until.js';

const LOGIN = {
  mcpAuthentication: {
    mode: 'optional',
    issuer: ISSUER,
    jwks: { keys: [signer.jwk] },
    resourceMetadata: { resource: RESOURCE },
  },
};

const fileWith = (accessLog: object | undefined, ...targets: readonly string[]) => ({
  gateways: { default: { port: 0 } },
  routes: [{ name: 'notes', policies: LOGIN, backends: [{ mcp: { targets: targets.map((each) => scripted(each)) } }] }],
  ...(accessLog && { frontendPolicies: { accessLog } }),
});

const serve = (accessLog: object | undefined, ...targets: readonly string[]) =>
  serveFile(fileWith(accessLog, ...(targets.length === 0 ? ['one'] : targets)));

const callsIn = ({ lines }: FileGateway) => lines.filter((line) => line.startsWith('info request '));
const fieldsOf = (line = '') =>
  Object.fromEntries([...line.matchAll(/ ([\w.-]+)=("(?:[^"\\]|\\.)*"|\S+)/g)].map(([, name, value]) => [name, value]));

const CREDENTIAL_HEADERS = ['x-api-key', 'x-functions-key', 'x-jwt', 'x-hub-signature', 'x-amzn-oidc-data', 'x-passwd'];

const token = signer.sign(claims({ sub: 'ada', scope: 'a b' }));
const bearer = { authorization: `Bearer ${token}` };

/** Calls the tool `echo` with a secret argument and a token. Resolves to the fields of its line; undefined if there is none. */
async function callOnce(accessLog: object, headers: Record<string, string> = bearer) {
  const gateway = await serve(accessLog);
  const session = await open(`${gateway.origin}/notes?a=b`, headers);
  await (await post(`${gateway.origin}/notes?a=b`, call(7, 'echo', { text: 'secret-argument' }), session)).text();
  await (await post(`${gateway.origin}/notes`, { jsonrpc: '2.0', id: 8, method: 'ping' }, session)).text();
  const [line] = callsIn(gateway).filter((each) => each.includes('tools/call') || 'remove' in accessLog);
  return { line, fields: fieldsOf(line), lines: gateway.lines };
}

describe('frontendPolicies.accessLog', () => {
  test('writes one line for each call, with its request, its caller and its end', async () => {
    const gateway = await serve({}, 'one');
    const session = await open(`${gateway.origin}/notes?secret=1`, { ...bearer, 'x-request-id': 'request-1' });
    await (await post(`${gateway.origin}/notes`, call(7, 'echo', { text: 'secret-argument' }), session)).text();
    await (await post(`${gateway.origin}/notes`, call(8, 'no such "tool"'), session)).text();
    await until(() => callsIn(gateway).length === 3);
    const [opening, echo, unknown] = callsIn(gateway).map(fieldsOf);
    const common = {
      route: 'notes',
      'src.addr': '127.0.0.1',
      'http.method': 'POST',
      'http.host': '127.0.0.1',
      'http.path': '/notes',
      'mcp.target': 'one',
      user: 'ada',
      credential: 'jwt',
      duration: expect.stringMatching(/^\d+ms$/),
      bytesIn: expect.stringMatching(/^\d+$/),
      bytesOut: expect.stringMatching(/^\d+$/),
      requestId: 'request-1',
    };
    expect(opening).toEqual({ ...common, 'mcp.method.name': 'initialize', outcome: 'answered' });
    expect(echo).toMatchObject({
      ...common,
      'mcp.method.name': 'tools/call',
      'mcp.resource.type': 'tool',
      'gen_ai.tool.name': 'echo',
      outcome: 'answered',
    });
    expect(unknown).toMatchObject({ 'gen_ai.tool.name': String.raw`"no such \"tool\""` });
    expect(gateway.lines.join('\n')).not.toMatch(/secret/);
    expect(gateway.lines.join('\n')).not.toContain(token);
  });

  test('adds fields of expressions, which replace others, and leaves out those that a call does not have', async () => {
    const { fields } = await callOnce({
      add: {
        agent: 'request.headers["user-agent"]',
        where: 'request.pathAndQuery',
        subject: 'jwt.sub',
        scopes: 'jwt.scope.split(" ")',
        absent: 'jwt.nothing.at.all',
        key: 'apiKey.name',
        tool: 'mcp.tool.name + "@" + mcp.tool.target',
        slow: 'mcp.durationMs > 60000',
        end: 'mcp.methodName + " " + mcp.outcome',
        route: '"replaced"',
        user: 'jwt.nothing',
      },
    });
    expect(fields).toMatchObject({
      agent: 'node',
      where: '"/notes?a=b"',
      subject: 'ada',
      scopes: String.raw`"[\"a\",\"b\"]"`,
      slow: 'false',
      tool: 'echo@one',
      end: '"tools/call answered"',
      route: 'replaced',
    });
    for (const name of ['absent', 'key', 'user']) expect(fields).not.toHaveProperty(name);
  });

  test.each([
    ['{"a": 1, "b": {"c": [2]}}', String.raw`"{\"a\":1,\"b\":{\"c\":[2]}}"`],
    ['{"a": 1u}', String.raw`"{\"a\":\"1\"}"`],
    ['{1: duration("1s")}', String.raw`"{\"1\":\"1s\"}"`],
    ['7u', '7'],
    ['timestamp("2026-01-02T03:04:05Z")', '2026-01-02T03:04:05.000Z'],
    ['jwt', expect.stringContaining(String.raw`,\"large\":null,\"nested\":{\"n\":4}}`)],
  ])('writes the value of %s', async (expression, written) => {
    const authorization = `Bearer ${signer.sign(claims({ sub: 'ada', large: 1e300, nested: { n: 4 } }))}`;
    const { fields } = await callOnce({ add: { value: expression } }, { authorization });
    expect(fields.value).toEqual(written);
  });

  test('leaves out fields that are removed', async () => {
    const { fields } = await callOnce({ remove: ['user', 'http.path', 'mcp.method.name', 'not.written.anyway'] });
    expect(fields).toMatchObject({ route: 'notes' });
    for (const name of ['user', 'http.path', 'mcp.method.name']) expect(fields).not.toHaveProperty(name);
  });

  test.each([
    ['mcp.methodName == "tools/call"', 1],
    ['has(mcp.tool) && mcp.tool.name == "echo"', 1],
    ['mcp.outcome != "answered"', 0],
    ['has(mcp.code)', 0],
    ['jwt.sub == "grace"', 0],
    ['jwt.no.such.claim == 1', 0],
  ])('with the filter %s, calls for which it is true have lines', async (filter, count) => {
    const { lines } = await callOnce({ filter });
    expect(lines.filter((line) => line.startsWith('info request '))).toHaveLength(count);
  });

  test('shows no expression a header with credentials', async () => {
    const { line, fields } = await callOnce(
      {
        add: {
          token: 'request.headers["authorization"]',
          cookie: 'request.headers.cookie',
          all: 'request.headers.map(name, name + request.headers[name])',
          ok: '"ok"',
        },
      },
      {
        ...bearer,
        cookie: 'session=secret-cookie',
        ...Object.fromEntries(CREDENTIAL_HEADERS.map((name) => [name, `secret-${name}`])),
      },
    );
    expect(fields).toMatchObject({ ok: 'ok', all: expect.stringContaining('user-agent') });
    expect(line).not.toMatch(/secret|Bearer|session-id/);
  });

  test('names the target of a tool as rules do, and the tool as its client does', async () => {
    const add = { own: 'mcp.tool.name', target: 'mcp.tool.target' };
    const gateway = await serve({ add }, 'one', 'two');
    const session = await open(`${gateway.origin}/notes`, bearer);
    await (await post(`${gateway.origin}/notes`, call(7, 'two_echo', { text: 'x' }), session)).text();
    await until(() => callsIn(gateway).length === 2);
    expect(fieldsOf(callsIn(gateway)[1])).toMatchObject({
      'gen_ai.tool.name': 'two_echo',
      'mcp.target': 'two',
      own: 'echo',
      target: 'two',
    });
  });

  test('is off without the section, and a reload turns it on and off', async () => {
    const gateway = await serve(undefined);
    const session = await open(`${gateway.origin}/notes`, bearer);
    expect(callsIn(gateway)).toEqual([]);
    const use = (log: object | undefined) =>
      gateway.gateway
        .prepare(parseConfigFile(JSON.stringify(fileWith(log, 'one')), '/'), new InputFiles())
        .use('127.0.0.1');
    await use({});
    await (await post(`${gateway.origin}/notes`, initialize(), bearer)).text();
    await until(() => callsIn(gateway).length === 1);
    await use(undefined);
    await (await post(`${gateway.origin}/notes`, { jsonrpc: '2.0', id: 1, method: 'ping' }, session)).text();
    expect(callsIn(gateway)).toHaveLength(1);
  });

  const at = (name: string) => `frontendPolicies.accessLog.${name}`;
  const HAS = 'variables begin with jwt, apiKey, mcp, request or source';
  test.each<[string, object, string]>([
    [
      'a variable of an extAuthz',
      { add: { 'github.user': 'extauthz.githubUser' } },
      `${at('add["github.user"]')} must be a CEL expression, but is "extauthz.githubUser". Column 1: Unknown variable: extauthz; it comes from agentgateway's extAuthz, which is not supported here. Remove it: ${HAS}. An access log also has`,
    ],
    ['a status', { filter: 'response.code > 299' }, `Unknown variable: response; ${HAS}`],
    [
      'an unknown variable of a call',
      { filter: 'mcp.status == 1' },
      'An access log also has mcp.methodName, mcp.sessionId',
    ],
    [
      'arguments',
      { add: { text: 'mcp.tool.arguments.text' } },
      `${at('add.text')} reads mcp.tool.arguments: arguments of calls are in no log`,
    ],
    ['no expression', { filter: 'jwt.sub ==' }, `${at('filter')} must be a CEL expression`],
    ['no truth value', { filter: '"yes"' }, `${at('filter')} is of type string, not true or false`],
    [
      'the name of a member of every line',
      { add: { message: '"x"' } },
      `${at('add.message')} has the name of a member that every line has`,
    ],
    ['no name', { add: { 'a b': '"x"' } }, 'is not a valid name of a field'],
    ['another member', { fields: {} }, 'fields'],
    ['a collector', { otlp: { host: 'localhost:4317' } }, 'Write frontendPolicies.tracing, which sends spans'],
  ])('refuses %s', (_what, accessLog, message) => {
    expect(refusal(fileWith(accessLog, 'one'))).toContain(message);
  });

  test('may be called logging, but not both', () => {
    const file = fileWith({}, 'one');
    expect(() => refusal({ ...file, frontendPolicies: { logging: { remove: ['user'] } } })).toThrow('was accepted');
    expect(refusal({ ...file, frontendPolicies: { logging: {}, accessLog: {} } })).toBe(
      'frontendPolicies.logging is another name of accessLog: remove one',
    );
  });
});

test.each(['mcp.methodName == "x"', 'has(mcp.outcome)'])('a rule cannot read the end of a call: %s', async (rule) => {
  const file = fileWith(undefined, 'one');
  const [route] = file.routes;
  const policies = { mcpAuthorization: { rules: [rule] } };
  await expect(serveFile({ ...file, routes: [{ ...route, policies }] })).rejects.toThrow(
    'is not known when a call is decided on',
  );
});
