import { afterAll, expect, test } from 'vitest';
import { mcpAdmin } from '../../src/admin/mcp-admin.js';
import { ConfigError, mcpStdioBackend } from '../../src/index.js';

const AUTHORIZE =
  'Give a function that returns true for requests of operators; or "loopback" for this machine alone; or () => true behind a middleware that has checked it.';
const BACKENDS = 'Write { "/mcp": backend }, with the path at which the backend is mounted.';

const SERVER_PATH =
  'Write "/mcp", the path at which a server that is no backend is mounted; for a backend, leave it out.';
const BACKEND = mcpStdioBackend({ command: 'node' });
afterAll(() => BACKEND.close());

test.each<[string, unknown, string, string]>([
  ['no authorize', {}, 'authorize', `must be "loopback" or a function, but got undefined. ${AUTHORIZE}`],
  ['true', { authorize: true }, 'authorize', `must be "loopback" or a function, but got true. ${AUTHORIZE}`],
  [
    'another word',
    { authorize: 'anyone' },
    'authorize',
    `must be "loopback" or a function, but got "anyone". ${AUTHORIZE}`,
  ],
  [
    'a backend without its path',
    { authorize: 'loopback', backends: { mcp: () => undefined } },
    'backends',
    `must be an object whose names are paths, but got "mcp". ${BACKENDS}`,
  ],
  [
    'a function that is no backend',
    { authorize: 'loopback', backends: { '/mcp': () => undefined } },
    'backends["/mcp"]',
    `must be a backend, as mcpStdioBackend() returns it. ${BACKENDS}`,
  ],
  ['a list', { authorize: 'loopback', backends: [] }, 'backends', `must be an object, but got []. ${BACKENDS}`],
  ...['mcp', '/:tenant/mcp', 'https://example.com/mcp', '', 7].map((serverPath): [string, unknown, string, string] => [
    `the path ${JSON.stringify(serverPath)} of a server`,
    { authorize: 'loopback', serverPath },
    'serverPath',
    `must be a path, but got ${JSON.stringify(serverPath)}. ${SERVER_PATH}`,
  ]),
  [
    'the path of a backend as that of another server',
    { authorize: 'loopback', backends: { '/mcp': BACKEND }, serverPath: '/mcp' },
    'serverPath',
    `must be another path than those of backends, but got "/mcp". ${SERVER_PATH}`,
  ],
  [
    'a policy in place of mcpAuth()',
    { authorize: 'loopback', auth: { issuer: 'x' } },
    'auth',
    'must be the middleware that mcpAuth() returned. Write auth: mcpAuth({ … }).',
  ],
  [
    'an unknown option',
    { authorize: 'loopback', backend: {} },
    'backend',
    'must be a known option, but got "backend". Did you mean "backends"?',
  ],
])('%s is refused', (_what, options, option, message) => {
  let error: unknown;
  try {
    mcpAdmin(options as never);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as Error).message).toBe(`mcpAdmin(): option "${option}" ${message}`);
});

test('a request in place of the options is refused with how to write it', () => {
  expect(() => mcpAdmin({ headers: {}, url: '/' } as never)).toThrow('app.use(mcpAdmin) was written without the call');
});
