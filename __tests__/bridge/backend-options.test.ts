import { afterEach, describe, expect, test } from 'vitest';
import {
  type McpBackend,
  type McpBackendOptions,
  mcpBackend,
  mcpHttpBackend,
  mcpStdioBackend,
} from '../../src/index.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const made: McpBackend[] = [];
afterEach(() => Promise.all(made.splice(0).map((backend) => backend.close())));
const make = (options: unknown): void => void made.push(mcpBackend(options as McpBackendOptions));
const withTarget = (target: unknown) => ({ targets: { one: target } });

const EXAMPLE = 'Write { command: "…" } or { url: "…" }.';
const refused: [string, unknown, string][] = [
  [
    'an empty object',
    {},
    `option "targets" must be an object, but got undefined. Name each target: { name: … }. ${EXAMPLE}`,
  ],
  [
    'a list of targets',
    { targets: ['x'] },
    `option "targets" must be an object, but got ["x"]. Name each target: { name: … }. ${EXAMPLE}`,
  ],
  ['no targets', { targets: {} }, `option "targets" must be an object with at least one target. ${EXAMPLE}`],
  ...['A', 'a_b', '', 'a+b', '.a', 'a.', 'a..b', 'x'.repeat(65)].map((name): [string, unknown, string] => [
    `a target called ${JSON.stringify(name.slice(0, 5))}`,
    { targets: { [name]: { command: 'x' } } },
    `option "targets" must be names of lower-case letters, digits and hyphens, with dots between them, but got ${JSON.stringify(name)}. Rename it: the names of its tools follow after an underscore.`,
  ]),
  ['a target that is a string', withTarget('npx'), `option "targets.one" must be an object, but got "npx". ${EXAMPLE}`],
  [
    'a target without both',
    withTarget({}),
    `option "targets.one" must be an object with either command or url. ${EXAMPLE}`,
  ],
  [
    'a target with both',
    withTarget({ command: 'x', url: 'https://a.example/mcp' }),
    `option "targets.one" must be an object with either command or url (it has command, url). ${EXAMPLE}`,
  ],
  [
    'a target in the form of a configuration file',
    withTarget({ stdio: { cmd: 'npx' } }),
    `option "targets.one" must be an object with either command or url (it has stdio). ${EXAMPLE}`,
  ],
  [
    'targets without the option',
    { notes: { command: 'x' } },
    'option "notes" must be a member of "targets". Write mcpBackend({ targets: { notes: { … } } }).',
  ],
  [
    'an option of remote servers for a program',
    withTarget({ command: 'x', bearer: 'y' }),
    'option "targets.one.bearer" must be left out. It is an option of remote servers, which have "url".',
  ],
  [
    'an option of programs for a remote server',
    withTarget({ url: 'https://a.example/mcp', args: [] }),
    'option "targets.one.args" must be left out. It is an option of programs, which have "command".',
  ],
  [
    'a limit of the backend in a target',
    withTarget({ command: 'x', maxSessions: 1 }),
    'option "targets.one.maxSessions" must be left out. Write it beside targets: mcpBackend({ targets: { … }, maxSessions: … }).',
  ],
  ['a command line', withTarget({ command: 'npx -y x' }), 'option "targets.one.command" must be the program alone'],
  [
    'args that are a string',
    withTarget({ command: 'x', args: '-y' }),
    'option "targets.one.args" must be an array of strings',
  ],
  ['a plain URL', withTarget({ url: 'http://a.example/mcp' }), 'option "targets.one.url" must be an https URL'],
  [
    'a URL with a fragment',
    withTarget({ url: 'https://a.example/mcp#x' }),
    'option "targets.one.url" must be a URL without a fragment',
  ],
  [
    'a certificate without a key',
    withTarget({ url: 'https://a.example/mcp', cert: '-----BEGIN X' }),
    'option "targets.one.key" must be given with cert',
  ],
  [
    'two credentials',
    withTarget({ url: 'https://a.example/mcp', bearer: 'x', headers: { authorization: 'y' } }),
    'option "targets.one.headers" must be without Authorization',
  ],
  [
    'warm children with a function',
    withTarget({ command: 'x', env: () => ({}), warmChildren: 1 }),
    'option "targets.one.warmChildren" must be 0 where env is a function',
  ],
  [
    'a command beside the targets',
    { command: 'x' },
    'option "command" must be left out. Write it as a member of a target: mcpBackend({ targets: { name: { command: … } } }).',
  ],
  [
    'an option of a program beside the targets',
    { ...withTarget({ command: 'x' }), inheritEnv: true },
    'option "inheritEnv" must be left out. Write it as a member of a target',
  ],
  [
    'headers of clients for one target',
    withTarget({ url: 'https://a.example/mcp', requestHeaders: ['x'] }),
    'option "targets.one.requestHeaders" must be left out. mcpBackend() passes no other header of a client on: use mcpHttpBackend({ url, requestHeaders }).',
  ],
  [
    'stateless',
    { ...withTarget({ command: 'x' }), stateless: true },
    'option "stateless" must be called "sessions", but got "stateless". Write sessions: false in place of stateless: true.',
  ],
  ['a URL beside the targets', { url: 'x', ...withTarget({ command: 'x' }) }, 'option "url" must be left out'],
  [
    'sessions that are no boolean',
    { ...withTarget({ command: 'x' }), sessions: 'none' },
    'option "sessions" must be true or false, but got "none"',
  ],
  ['a slip', { ...withTarget({ command: 'x' }), maxSesions: 1 }, 'Did you mean "maxSessions"?'],
];

describe('mcpBackend()', () => {
  test.each(refused)('refuses %s', (_name, options, message) => {
    expect(() => make(options)).toThrow(message.startsWith('option') ? `mcpBackend(): ${message}` : message);
    expect(() => make(options)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }));
  });

  test.each([
    [
      'a program',
      {
        command: 'x',
        args: undefined,
        env: undefined,
        cwd: undefined,
        inheritEnv: undefined,
        inheritNetworkEnv: undefined,
        warmChildren: undefined,
      },
    ],
    [
      'a remote server',
      { url: 'https://a.example/mcp', headers: undefined, bearer: undefined, callerToken: undefined, ca: undefined },
    ],
    ['a program without a prototype', Object.assign(Object.create(null), { command: 'x', url: undefined })],
  ])('accepts %s', (_name, target) => {
    expect(() => make(Object.freeze({ targets: Object.freeze({ 'a-1': target }), sessions: undefined }))).not.toThrow();
  });

  test('warns about a target that inherits every variable', () => {
    const { lines, logger } = createRecordingLogger();
    make({ ...withTarget({ command: 'x', inheritEnv: true }), logger });
    expect(lines).toEqual([expect.stringMatching(/^warn mcpBackend\(\): targets\.one\.inheritEnv is true/)]);
  });
});

test('backends for one server say which one takes several', () => {
  const options = { targets: { one: { command: 'x' } } };
  for (const create of [mcpHttpBackend, mcpStdioBackend] as ((options: unknown) => unknown)[]) {
    expect(() => create(options)).toThrow(
      'option "targets" must be left out. Several servers behind one address: use mcpBackend({ targets: { name: { … } } }).',
    );
  }
});

test('mcpHttpBackend() says which backend serves without sessions', () => {
  const options = { url: 'https://a.example/mcp', sessions: false };
  expect(() => mcpHttpBackend(options)).toThrow(
    'mcpHttpBackend(): option "sessions" must be left out. mcpHttpBackend() passes the sessions of the MCP server through: use mcpBackend({ targets: { name: { url } }, sessions: false }).',
  );
});
