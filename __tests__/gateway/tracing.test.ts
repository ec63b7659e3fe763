import { describe, expect, test } from 'vitest';
import { findNodeSdk } from '../../src/gateway/tracing/node-sdk.js';
import { startGrpcCollector, startHttpCollector } from '../support/collector.js';
import { refusal, scripted, serveFile } from '../support/file-gateway.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';

const SERVERS = { targets: [scripted('one')] };
const tracedBy = (tracing: object, config?: object) => ({
  mcp: { port: 0, ...SERVERS },
  frontendPolicies: { tracing },
  ...(config && { config }),
});
const HOST = { host: 'localhost:4317' };
const at = 'frontendPolicies.tracing';

const refused: readonly (readonly [what: string, tracing: object, message: string])[] = [
  ['no host', {}, `${at}.host is missing`],
  [
    'a host without a port',
    { host: 'collector' },
    `${at}.host must be a host and a port, such as "localhost:4317", but is "collector"`,
  ],
  [
    'a URL',
    { host: 'http://localhost:4317' },
    `${at}.host must be a host and a port, such as "localhost:4317", but is "http://localhost:4317"`,
  ],
  [
    'a port above 65535',
    { host: 'localhost:70000' },
    `${at}.host must be a host and a port, such as "localhost:4317", but is "localhost:70000"`,
  ],
  ['another protocol', { ...HOST, protocol: 'json' }, `${at}.protocol must be one of grpc, http, but is "json"`],
  ['a path with gRPC', { ...HOST, path: '/v1/traces' }, `${at}.path needs protocol http: gRPC has no path`],
  ['a path without a slash', { ...HOST, protocol: 'http', path: 'v1' }, `${at}.path must begin with a slash`],
  [
    'a share above 1',
    { ...HOST, randomSampling: 2 },
    `${at}.randomSampling must be true, false, a number from 0 to 1 or a CEL expression, but is 2`,
  ],
  [
    'a share that is a list',
    { ...HOST, clientSampling: [] },
    `${at}.clientSampling must be true, false, a number from 0 to 1 or a CEL expression, but is []`,
  ],
  ['a wrong expression', { ...HOST, filter: 'request.' }, `${at}.filter must be a CEL expression, but is "request."`],
  [
    'a variable that does not exist',
    { ...HOST, attributes: { a: 'request.pth' } },
    `${at}.attributes.a must be a CEL expression, but is "request.pth". Column 9: request.pth is not a variable; write request.path`,
  ],
  [
    'arguments',
    { ...HOST, attributes: { a: 'mcp.tool.arguments.x' } },
    `${at}.attributes.a reads mcp.tool.arguments: arguments of calls are in no trace. Remove it`,
  ],
  [
    'the target',
    { ...HOST, filter: 'mcp.tool.target == "a"' },
    `${at}.filter reads mcp.tool.target: the spans of targets have their names. Remove it`,
  ],
  [
    'a resource of a request',
    { ...HOST, resources: { a: 'request.path' } },
    `${at}.resources.a reads request.path: a resource describes the process, without a request. Write attributes`,
  ],
  ['a slip', { ...HOST, attribute: {} }, `${at}.attribute is not supported. Did you mean "attributes"?`],
  [
    'a service',
    { service: { name: 'a/b', port: 1 } },
    `${at}.service is not supported: write host: ADDRESS:PORT, or config.tracing with an otlpEndpoint.`,
  ],
  [
    'policies',
    { ...HOST, policies: {} },
    `${at}.policies is not supported: write config.tracing, with an otlpEndpoint of https:// and with headers.`,
  ],
];

describe('frontendPolicies.tracing refuses', () => {
  test.each(refused)('%s', (_what, tracing, message) => {
    expect(refusal(tracedBy(tracing))).toContain(message);
  });
});

const refusedEndpoints = ['localhost:4317', 'http://localhost:4317/v1/traces', 'http://user:secret@localhost:4317'];

test.each([
  [
    'a line end',
    'authorization',
    'Bearer a-token\n',
    'ends with a line break, which would count as a part of the text: remove it',
  ],
  ['a line end within it', 'authorization', 'Bearer\na-token', 'must be one line of printable ASCII'],
  ['a letter that is not ASCII', 'authorization', 'Bearer a-tokén', 'must be one line of printable ASCII'],
  ['a name that is none', 'a token', 'a-token', 'does not have the name of a header with text'],
  ['the name of a header with bytes', 'token-bin', 'a-token', 'does not have the name of a header with text'],
])('config.tracing refuses a header with %s, without quoting it', (_what, name, value, message) => {
  const tracing = { otlpEndpoint: 'http://localhost:4317', headers: { [name]: value } };
  const refused = refusal({ mcp: SERVERS, config: { tracing } });
  expect(refused).toContain(message);
  expect(refused).not.toMatch(/a-tok/);
});

test.each(refusedEndpoints)('config.tracing refuses the endpoint %s, without quoting it', (otlpEndpoint) => {
  expect(refusal({ mcp: SERVERS, config: { tracing: { otlpEndpoint } } })).toBe(
    'config.tracing.otlpEndpoint must be an address such as "http://localhost:4317", without a path, which is written in path',
  );
});

test('a file has one collector', () => {
  expect(refusal(tracedBy(HOST, { tracing: { otlpEndpoint: 'http://localhost:4317' } }))).toBe(
    'config.tracing and frontendPolicies.tracing both say where spans are sent: remove one',
  );
});

const refusedNames = [
  ['networkAuthorization', 'write policies.authorization, whose rules see source.address.'],
  [
    'http',
    'write config.keepAliveTimeout, config.headersTimeout and config.requestTimeout. Or start without it: --ignore http.',
  ],
] as const;

test.each(refusedNames)('frontendPolicies.%s is not supported', (name, why) => {
  expect(refusal({ mcp: SERVERS, frontendPolicies: { [name]: {} } })).toBe(
    `frontendPolicies.${name} is not supported: ${why}`,
  );
});

test('the SDK of OpenTelemetry that is installed is refused on a Node.js that it does not support', () => {
  expect(() => findNodeSdk('18.4.0')).toThrow(
    /^@opentelemetry\/sdk-node 0\.\S+ needs Node\.js \S.*, and this is Node\.js 18\.4\.0: use a later Node\.js, or npm install @opentelemetry\/sdk-node@0\.223$/,
  );
});

const TRACE = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
const COLLECTORS = { http: startHttpCollector, grpc: startGrpcCollector } as const;

/** Serves a file, calls the tool `echo` once, and ends the command. */
async function callOnce(file: object, headers: Record<string, string> = {}) {
  const { origin, gateway, lines } = await serveFile(file);
  const session = await open(`${origin}/mcp`);
  await (await post(`${origin}/mcp`, call(7, 'echo', { text: 'secret-argument' }), { ...session, ...headers })).text();
  await gateway.close();
  return { lines, gateway };
}

describe.each(['http', 'grpc'] as const)('the command sends spans over %s', (protocol) => {
  const paths = { http: '/v1/traces', grpc: '/opentelemetry.proto.collector.trace.v1.TraceService/Export' };

  test('of calls and of their targets, with the attributes of the file', async () => {
    const collector = await COLLECTORS[protocol]();
    const { gateway } = await callOnce(
      tracedBy({
        host: collector.address,
        protocol,
        randomSampling: true,
        attributes: {
          where: 'request.path + "!"',
          agent: 'request.headers["user-agent"]',
          credential: 'request.headers["authorization"]',
          absent: 'jwt.sub',
        },
        resources: { 'service.name': '"gateway-of-tests"' },
        remove: ['mcp.session.id'],
      }),
      { authorization: 'Bearer secret-token', 'user-agent': 'agent-of-tests' },
    );
    expect(gateway.notes.at(-1)).toMatch(`${at}: spans of calls are sent to http://${collector.address}`);
    expect(collector.paths).toContain(paths[protocol]);
    const sent = collector.text();
    for (const text of ['gateway-of-tests', 'gen_ai.tool.name', '/mcp!', 'agent-of-tests'])
      expect(sent).toContain(text);
    for (const text of ['secret', 'mcp.session.id', 'credential', 'absent']) expect(sent).not.toContain(text);
  });

  test('with the headers of config.tracing', async () => {
    const collector = await COLLECTORS[protocol]();
    await callOnce({
      mcp: { port: 0, ...SERVERS },
      config: {
        tracing: {
          otlpEndpoint: `http://${collector.address}`,
          otlpProtocol: protocol,
          headers: { authorization: 'Bearer collector' },
          randomSampling: '1.0',
          fields: { add: { team: '"docs"' }, remove: ['gen_ai.tool.name'] },
        },
      },
    });
    expect(collector.headers[0]?.authorization).toBe('Bearer collector');
    expect(collector.text()).toContain('docs');
    expect(collector.text()).not.toContain('gen_ai.tool.name');
  });
});

const samplings: readonly (readonly [
  what: string,
  tracing: object,
  headers: Record<string, string>,
  isSent: boolean,
])[] = [
  ['a client without a trace', {}, {}, false],
  ['a client with a trace', {}, TRACE, true],
  ['a client that does not sample its trace', {}, { traceparent: TRACE.traceparent.replace(/1$/, '0') }, false],
  ['a client with a trace, if clientSampling is 0', { clientSampling: 0 }, TRACE, false],
  ['a client without a trace, if an expression allows it', { randomSampling: 'mcp.tool.name == "echo"' }, {}, true],
  ['a client without a trace, if an expression fails', { randomSampling: 'jwt.sample' }, {}, false],
  ['a client without a trace, if an expression is not a number', { randomSampling: '0.0 / 0.0' }, {}, false],
  ['a call that the filter leaves out', { randomSampling: true, filter: 'has(jwt.sub)' }, {}, false],
  ['a call that the filter keeps', { randomSampling: true, filter: 'mcp.tool.name == "echo"' }, {}, true],
];

test.each(samplings)('spans of %s', async (_what, tracing, headers, isSent) => {
  const collector = await startHttpCollector();
  await callOnce(tracedBy({ host: collector.address, protocol: 'http', ...tracing }), headers);
  expect(collector.text().includes('echo')).toBe(isSent);
});

test('a share of traces is sampled by their ids', async () => {
  const collector = await startHttpCollector();
  const { origin, gateway } = await serveFile(
    tracedBy({ host: collector.address, protocol: 'http', clientSampling: 0.5 }),
  );
  for (const [id, end] of ['00000000', '7fffffff', '80000000', 'ffffffff'].entries()) {
    const traceparent = `00-${'a'.repeat(24)}${end}-${'b'.repeat(16)}-01`;
    await (await post(`${origin}/mcp`, initialize('2025-06-18', `id-${id}-of-it`), { traceparent })).text();
  }
  await gateway.close();
  expect([...collector.text().matchAll(/id-(\d)-of-it/g)].map(([, id]) => id)).toEqual(['0', '1']);
});

test('--ignore tracing starts without traces', async () => {
  const file = tracedBy({ ...HOST, randomSampling: true });
  const { gateway } = await serveFile(file, { ignored: ['tracing'] });
  expect(gateway.notes.join()).not.toContain('tracing');
});
