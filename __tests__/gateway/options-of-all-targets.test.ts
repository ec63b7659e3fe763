import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { warningsOfIneffectiveParts } from '../../src/gateway/ineffective-parts.js';
import { MCP_SERVERS } from '../../src/gateway/schema/target-keys.js';
import { refusal, scripted, serveFile } from '../support/file-gateway.js';
import { initialize, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

const remote = (more: object = {}) => ({ name: 'remote', mcp: { host: 'https://mcp.example.com/mcp', ...more } });
const program = (more: object = {}) => scripted('program', more);

const backendOf = (mcp: object) => {
  const config = parseConfigFile(JSON.stringify({ mcp }), '/');
  return config.binds[0]?.listeners[0]?.routes[0]?.backend;
};

const defaults = Object.entries(MCP_SERVERS).flatMap(([key, row]) =>
  'default' in row && row.default !== undefined ? [[key, row.default] as const] : [],
);
const onlyForPrograms = ['expiryGraceSeconds', 'startTimeoutSeconds', 'requestTimeoutSeconds', 'maxMessageBytes'];
const notForRemote = [...onlyForPrograms, 'anonymousRequests'];
const notForPrograms = ['requestHeaders', 'responseHeaders'];

describe('the messages of an only target pass as they are if the file has', () => {
  test.each(defaults.filter(([key]) => !notForPrograms.includes(key)))('%s: %j, for a program', (key, value) => {
    expect(backendOf({ targets: [program()], [key]: value })).toHaveProperty('isJoined', false);
  });

  test.each(defaults.filter(([key]) => !notForRemote.includes(key)))('%s: %j, for a remote server', (key, value) => {
    expect(backendOf({ targets: [remote()], [key]: value })).toHaveProperty('isJoined', false);
  });
});

test.each<[string, object]>([
  ['nothing', {}],
  ['pin: false', { pin: false }],
  ['prefixMode: conditional', { prefixMode: 'conditional' }],
  ['failureMode: failClosed', { failureMode: 'failClosed' }],
  ['statefulMode: stateful', { statefulMode: 'stateful' }],
  ['a name for several servers', { serverInfo: { name: 'tools', version: '2' } }],
])('a remote server gets the headers of the client where the file says %s beside targets', async (_what, more) => {
  const target = await startRecordingTarget();
  const { origin } = await serveFile({ mcp: { port: 0, targets: [remote({ host: target.url })], ...more } });
  expect((await post(`${origin}/mcp`, initialize(), { 'user-agent': 'client/1' })).status).toBe(200);
  expect(target.arrived[0]?.headers['user-agent']).toBe('client/1');
});

test.each<[string, object, readonly string[]]>([
  ['a pin', { targets: [remote()], pin: true }, []],
  ['a prefix', { targets: [program()], prefixMode: 'always' }, []],
  ['several targets', { targets: [program(), remote()] }, []],
  ['one remote target', { targets: [remote()] }, ['mcp.serverInfo']],
  ['one program', { targets: [program()] }, ['mcp.serverInfo']],
  ['one program without sessions', { targets: [program()], statefulMode: 'stateless' }, ['mcp.serverInfo']],
])('a name for several servers beside %s has a warning if clients do not see it', (_what, mcp, places) => {
  const file = { mcp: { ...mcp, serverInfo: { name: 'tools', version: '2' } } };
  const config = parseConfigFile(JSON.stringify(file), '/');
  expect(warningsOfIneffectiveParts(config, {})).toEqual(
    places.map((at) => `${at} has no effect, because clients see the name and version of the only target`),
  );
});

test('a name that clients do not see is checked too', () => {
  expect(refusal({ mcp: { targets: [remote()], serverInfo: { name: 'tools' } } })).toBe(
    'mcp: mcpBackend(): option "serverInfo.version" must be a non-empty string, but got undefined. Write { name: "…", version: "…" }.',
  );
});

const several = [program(), remote()];

describe('a refusal names the place of a key that its targets cannot have:', () => {
  test.each<[string, object, string]>([
    ['anonymousRequests', { anonymousRequests: 'shared' }, 'Remove it.'],
    ['expiryGraceSeconds', { expiryGraceSeconds: 5 }, 'Remove it.'],
    [
      'startTimeoutSeconds',
      { startTimeoutSeconds: 5 },
      'Write connectTimeoutSeconds or responseTimeoutSeconds beside host.',
    ],
    ['requestTimeoutSeconds', { requestTimeoutSeconds: 5 }, 'Write responseTimeoutSeconds beside host.'],
    ['maxMessageBytes', { maxMessageBytes: 5_000 }, 'Remove it.'],
  ])('%s beside one remote target', (key, more, fix) => {
    expect(refusal({ mcp: { targets: [remote()], ...more } })).toBe(`mcp.${key} is not for one remote target. ${fix}`);
  });

  test.each(notForPrograms)('%s beside programs, several targets and in one of them', (key) => {
    const only = 'is for one remote target only';
    expect([
      refusal({ mcp: { targets: [program()], [key]: ['x-a'] } }),
      refusal({ mcp: { targets: several, [key]: ['x-a'] } }),
      refusal({ mcp: { targets: [remote()], pin: true, [key]: ['x-a'] } }),
      refusal({ mcp: { targets: [program(), remote({ [key]: ['x-a'] })] } }),
      refusal({ mcp: { targets: [program({ [key]: ['x-a'] })] } }),
    ]).toEqual([
      `mcp.${key} ${only}. Remove it.`,
      `mcp.${key} ${only}, and there are several targets. Remove it.`,
      `mcp.${key} contradicts pin: remove one of them`,
      `mcp.targets[1].mcp.${key} ${only}, and there are several targets. Remove it.`,
      `mcp.targets[0].stdio.${key} is not supported. It is for remote targets.`,
    ]);
  });

  test.each<[string, object, string]>([
    ['warmChildren', { targets: [program()], warmChildren: 1 }, 'Write it in stdio of a target.'],
    ['cwd', { targets: [program()], cwd: '.' }, 'Write it in stdio of a target.'],
    ['responseTimeoutSeconds', { targets: [remote()], responseTimeoutSeconds: 1 }, 'Write it in mcp of a target.'],
    ['connectTimeoutSeconds', { targets: several, connectTimeoutSeconds: 1 }, 'Write it in mcp of a target.'],
    [
      'targets[0].mcp.requestTimeoutSeconds',
      { targets: [remote({ requestTimeoutSeconds: 1 })] },
      'Write responseTimeoutSeconds.',
    ],
    [
      'targets[0].mcp.maxMessageBytes',
      { targets: [remote({ maxMessageBytes: 1 })] },
      'It is for programs and for several targets.',
    ],
    ['targets[0].mcp.cwd', { targets: [remote({ cwd: '.' })] }, 'It is for programs.'],
    ['targets[0].mcp.pin', { targets: [remote({ pin: true })] }, 'Write it beside targets.'],
    [
      'targets[0].stdio.responseTimeoutSeconds',
      { targets: [program({ responseTimeoutSeconds: 1 })] },
      'It is for remote targets. Write requestTimeoutSeconds.',
    ],
    [
      'targets[0].stdio.statefulMode',
      { targets: [program({ statefulMode: 'stateless' })] },
      'Write it beside targets.',
    ],
  ])('%s', (place, mcp, fix) => {
    expect(refusal({ mcp })).toBe(`mcp.${place} is not supported. ${fix}`);
  });
});
