import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { type McpHttpBackend, type McpHttpBackendOptions, mcpHttpBackend } from '../../src/index.js';
import { CLIENT, SERVER } from '../support/certificates.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { REFUSED_HTTP_OPTIONS } from '../support/refused-http-options.js';

const made: McpHttpBackend[] = [];
afterEach(() => Promise.all(made.splice(0).map((backend) => backend.close())));
const make = (options: unknown): void => void made.push(mcpHttpBackend(options as McpHttpBackendOptions));

test.each(REFUSED_HTTP_OPTIONS)('%s is refused', (_name, options, message) => {
  let thrown: unknown;
  try {
    make(options);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ name: 'ConfigError', code: 'invalid_configuration' });
  expect((thrown as Error).message).toContain(message);
  expect((thrown as Error).message).not.toContain('secret');
});

const url = 'https://mcp.example/mcp';
const callerToken = { issuer: 'https://gateway.example/callers' };
const ed25519 = generateKeyPairSync('ed25519');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const PEM = ec.export({ type: 'pkcs8', format: 'pem' });

test.each<[string, object]>([
  ['the URL alone', {}],
  [
    'undefined members',
    { headers: undefined, bearer: undefined, callerToken: undefined, logger: undefined, ca: undefined },
  ],
  ['an object without a prototype', Object.assign(Object.create(null), { bearer: 'a' })],
  ['loopback over http', { url: 'http://localhost:3000/mcp' }],
  ['loopback over http, as IPv6', { url: 'http://[::1]:3000/mcp' }],
  ['http to another machine, where it is allowed', { url: 'http://mcp.example/mcp', dangerouslyAllowHttp: true }],
  ['a query', { url: `${url}?key=a` }],
  ['a function', { headers: () => ({}), bearer: 'a' }],
  ['one authority', { ca: SERVER.cert }],
  ['several, as bytes', { ca: [Buffer.from(SERVER.cert), CLIENT.cert] }],
  ['a client certificate', { ...CLIENT }],
  ['a key as PEM', { callerToken: { ...callerToken, key: PEM } }],
  ['a key as the bytes of a file', { callerToken: { ...callerToken, key: Buffer.from(PEM) } }],
  ['a key as JWK', { callerToken: { ...callerToken, key: ec.export({ format: 'jwk' }) } }],
  ['a key as KeyObject', { callerToken: { ...callerToken, key: ed25519.privateKey } }],
])('%s is accepted', (_name, options) => {
  expect(() => make(Object.assign(Object.create(Object.getPrototypeOf(options)), { url }, options))).not.toThrow();
});

describe('at start', () => {
  test('a key that is made warns, and is the only line', () => {
    const { lines, logger } = createRecordingLogger();
    make({ url, callerToken, logger });
    expect(lines).toEqual([
      'warn mcpHttpBackend(): callerToken has no key, so one is made at start: other replicas do not have it, and it is lost with a restart. An MCP server that caches the key set then refuses calls until it fetches it again. Make a key with "openssl ecparam -name prime256v1 -genkey -noout -out caller-key.pem"',
    ]);
  });

  test('every origin warns', () => {
    const { lines, logger } = createRecordingLogger();
    make({ url, allowedOrigins: ['*'], logger });
    expect(lines).toEqual([
      'warn mcpHttpBackend(): allowedOrigins has "*", so web pages of every origin may send requests: list the origins of your pages in allowedOrigins',
    ]);
  });

  test('nothing is said otherwise', () => {
    const { lines, logger } = createRecordingLogger();
    make({ url, bearer: 'a', headers: { 'x-user': 'a' }, logger });
    expect(lines).toEqual([]);
  });
});
