import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  type McpStdioBackend,
  type McpStdioBackendOptions,
  mcpStdioBackend,
} from '../../src/bridge/mcp-stdio-backend.js';

const made: McpStdioBackend[] = [];
afterEach(() => Promise.all(made.splice(0).map((backend) => backend.close())));
const make = (options: unknown): void => void made.push(mcpStdioBackend(options as McpStdioBackendOptions));

const refused: [string, unknown, string][] = [
  [
    'an empty object',
    {},
    'mcpStdioBackend(): option "command" must be a non-empty string, but got undefined. Name the program to start.',
  ],
  [
    'an empty command',
    { command: '' },
    'mcpStdioBackend(): option "command" must be a non-empty string, but got "". Name the program to start.',
  ],
  [
    'a command with NUL',
    { command: 'a\0b' },
    'mcpStdioBackend(): option "command" must be a string without NUL, but got "a\\u0000b". Give one string for each argument.',
  ],
  ...['npx -y x', ' npx x', 'npx  --key=secret'].map((command): [string, unknown, string] => [
    `a whole command line (${JSON.stringify(command)})`,
    { command },
    'mcpStdioBackend(): option "command" must be the program alone, without its arguments, but got "npx …". Put the arguments into args: { command: "npx", args: ["…"] }.',
  ]),
  ['a slip', { comand: 'x' }, 'Did you mean "command"?'],
  ['another slip', { command: 'x', maxSesions: 1 }, 'Did you mean "maxSessions"?'],
  [
    'args that are a string',
    { command: 'x', args: '-y pkg' },
    'mcpStdioBackend(): option "args" must be an array of strings, but got "-y pkg". Give one string for each argument.',
  ],
  ['args that are null', { command: 'x', args: null }, 'option "args" must be an array of strings, but got null.'],
  [
    'an argument that is a number',
    { command: 'x', args: ['a', 1] },
    'option "args[1]" must be a string without NUL, but got 1.',
  ],
  ['an argument with NUL', { command: 'x', args: ['a\0'] }, 'option "args[0]" must be a string without NUL'],
  ['env that is a list', { command: 'x', env: ['A=secret'] }, 'option "env" must be a plain object. Give'],
  ['env that is a Map', { command: 'x', env: new Map([['A', 'secret']]) }, 'option "env" must be a plain object. Give'],
  ['env that is a string', { command: 'x', env: 'A=secret' }, 'option "env" must be a plain object. Give'],
  [
    'an env name with "="',
    { command: 'x', env: { 'A=B': '1' } },
    'option "env" must be an object whose names have no "=", NUL or line end, but got "A=B".',
  ],
  ['an env name with a line end', { command: 'x', env: { 'A\nB': '1' } }, 'option "env" must be an object whose names'],
  ['an empty env name', { command: 'x', env: { '': '1' } }, 'option "env" must be an object whose names'],
  [
    'an env value that is a number',
    { command: 'x', env: { A: 1 } },
    'option "env.A" must be a string without NUL, but got "number".',
  ],
  [
    'an env value with NUL',
    { command: 'x', env: { A: 'secret\0' } },
    'option "env.A" must be a string without NUL, but got "string".',
  ],
  [
    'env that is a promise',
    { command: 'x', env: Promise.resolve({ A: 'secret' }) },
    'option "env" must be a plain object, but got "a promise". Make the function synchronous.',
  ],
  ['an empty cwd', { command: 'x', cwd: '' }, 'option "cwd" must be a non-empty string'],
  [
    'inheritEnv: false',
    { command: 'x', inheritEnv: false },
    'option "inheritEnv" must be an array of non-empty strings, but got false.',
  ],
  [
    'inheritNetworkEnv in words',
    { command: 'x', inheritNetworkEnv: 'no' },
    'option "inheritNetworkEnv" must be true or false, but got "no". Leave it out for true.',
  ],
  [
    'every variable without those of the network',
    { command: 'x', inheritEnv: true, inheritNetworkEnv: false },
    'option "inheritNetworkEnv" must be true where inheritEnv is true, but got false. inheritEnv passes all variables',
  ],
  [
    'requestMeta that is an object',
    { command: 'x', requestMeta: {} },
    'option "requestMeta" must be a function of the caller',
  ],
  [
    'keys that are a string',
    { command: 'x', allowedClientMeta: 'example.com/trace' },
    'option "allowedClientMeta" must be an array of non-empty strings, but got "example.com/trace". Name the keys that clients may send.',
  ],
  [
    'a resource that is no URL',
    { command: 'x', resource: '/mcp' },
    'option "resource" must be an http(s) URL without user, query or fragment, in ASCII, but got "/mcp".',
  ],
  [
    'a resource of another scheme',
    { command: 'x', resource: 'file:///mcp' },
    'option "resource" must be an http(s) URL without user, query or fragment, in ASCII, but got "file:///mcp".',
  ],
  [
    'a resource with a query',
    { command: 'x', resource: 'https://a.example/?key=secret' },
    'query or fragment, in ASCII. Write',
  ],
  [
    'a resource with a password',
    { command: 'x', resource: 'https://a:secret@b.example/' },
    'query or fragment, in ASCII. Write',
  ],
  ['no allowed hosts at all', { command: 'x', allowedHosts: [] }, 'An empty list would refuse every request.'],
  ['no allowed origins at all', { command: 'x', allowedOrigins: [] }, 'An empty list would refuse every request.'],
  [
    'hosts that are a string',
    { command: 'x', allowedHosts: 'a' },
    'option "allowedHosts" must be an array of non-empty strings',
  ],
  [
    'zero sessions',
    { command: 'x', maxSessions: 0 },
    'option "maxSessions" must be a whole number of at least 1, but got 0. The default is 100.',
  ],
  [
    'half a session',
    { command: 'x', maxSessions: 1.5 },
    'option "maxSessions" must be a whole number of at least 1, but got 1.5.',
  ],
  [
    'sessions in words',
    { command: 'x', maxSessions: '10' },
    'option "maxSessions" must be a whole number of at least 1, but got "10".',
  ],
  [
    'no session for anonymous callers',
    { command: 'x', maxAnonymousSessions: 0 },
    'option "maxAnonymousSessions" must be a whole number of at least 1, but got 0. Leave it out for a quarter of maxSessions.',
  ],
  [
    'another word for anonymous requests',
    { command: 'x', anonymousRequests: 'fresh' },
    'option "anonymousRequests" must be one of "separate", "shared", "refuse", but got "fresh". Leave it out for "separate".',
  ],
  [
    'a warning in words',
    { command: 'x', warnWhenOpen: 'no' },
    'option "warnWhenOpen" must be true or false, but got "no". Leave it out for true.',
  ],
  [
    'a negative timeout',
    { command: 'x', requestTimeoutSeconds: -1 },
    'option "requestTimeoutSeconds" must be a whole number of at least 0',
  ],
  [
    'a start that may take no time',
    { command: 'x', startTimeoutSeconds: 0 },
    'option "startTimeoutSeconds" must be a whole number of at least 1, but got 0. The default is 120.',
  ],
  [
    'an endless timeout',
    { command: 'x', idleTimeoutSeconds: Number.POSITIVE_INFINITY },
    'option "idleTimeoutSeconds" must be a whole number',
  ],
  [
    'warm children with an env of the caller',
    { command: 'x', warmChildren: 1, env: () => ({}) },
    'option "warmChildren" must be 0 where env is a function, but got 1.',
  ],
  [
    'a logger without methods',
    { command: 'x', logger: {} },
    'option "logger" must be an object with debug, info, warn and error',
  ],
];

describe('mcpStdioBackend() refuses at construction', () => {
  test.each(refused)('%s', (_name, options, message) => {
    expect(() => make(options)).toThrow(message);
    expect(() => make(options)).toThrow(expect.objectContaining({ code: 'invalid_configuration' }));
  });
});

const everythingUndefined: Required<McpStdioBackendOptions> = {
  command: 'x',
  args: undefined,
  env: undefined,
  cwd: undefined,
  inheritEnv: undefined,
  inheritNetworkEnv: undefined,
  sessions: undefined,
  replica: undefined,
  requestMeta: undefined,
  allowedClientMeta: undefined,
  resource: undefined,
  allowedHosts: undefined,
  allowedOrigins: undefined,
  maxSessions: undefined,
  maxSessionsPerUser: undefined,
  maxAnonymousSessions: undefined,
  anonymousRequests: undefined,
  warnWhenOpen: undefined,
  idleTimeoutSeconds: undefined,
  expiryGraceSeconds: undefined,
  startTimeoutSeconds: undefined,
  requestTimeoutSeconds: undefined,
  maxBodyBytes: undefined,
  maxMessageBytes: undefined,
  maxPendingRequests: undefined,
  warmChildren: undefined,
  onCall: undefined,
  recordContent: undefined,
  logger: undefined,
};

describe('mcpStdioBackend() accepts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stdio-options-'));
  writeFileSync(join(folder, 'my server'), '#!/bin/sh\n', { mode: 0o755 });
  afterAll(() => rmSync(folder, { recursive: true }));
  const accepted: [string, unknown][] = [
    ['a command alone', { command: 'x' }],
    ['a file with a blank in its name', { command: join(folder, 'my server') }],
    ['a file with a blank in its name, of the working directory', { command: './my server', cwd: folder }],
    ['a program with a blank in its name, on the PATH of its own', { command: 'my server', env: { PATH: folder } }],
    ['undefined for everything else', everythingUndefined],
    ['an object without a prototype', Object.assign(Object.create(null), { command: 'x', env: Object.create(null) })],
    ['values with line ends and "="', { command: 'x', env: { KEY: '-----BEGIN\na=b\n' } }],
    ['no warm children with an env of the caller', { command: 'x', warmChildren: 0, env: () => ({}) }],
    ['the console as logger', { command: 'x', logger: console }],
  ];
  test.each(accepted)('%s', (_name, options) => {
    expect(() => make(options)).not.toThrow();
  });

  test('a frozen object, and keeps nothing of it', () => {
    const args = ['a'];
    make(Object.freeze({ command: 'x', args: Object.freeze(args) }));
  });
});
