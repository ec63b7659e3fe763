import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../src/gateway/command-line.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import type { ProcessConfig } from '../../src/gateway/config/process-settings.js';
import { StartupError } from '../../src/gateway/startup-error.js';
import { scripted } from '../support/file-gateway.js';

const parse = (...args: string[]) => {
  const command = parseCommandLine(['-f', 'config.yaml', ...args]);
  return 'process' in command ? command.process : undefined;
};

test.each<[string, ProcessConfig]>([
  ['', {}],
  ['--admin off', { admin: 'off' }],
  ['--admin [::1]:0', { admin: { host: '::1', port: 0 } }],
  ['--health 0.0.0.0:15021', { health: { host: '0.0.0.0', port: 15_021 } }],
  ['--drain-seconds 0', { drainSeconds: 0 }],
  ['--keep-alive-seconds 620', { keepAliveSeconds: 620 }],
])('the command line "%s"', (line, settings) => {
  expect(parse(...line.split(' ').filter((word) => word !== ''))).toEqual(settings);
});

describe('is refused in one sentence:', () => {
  test.each([
    ['--admin', '15000', '--admin must be an address and a port, such as 127.0.0.1:15000, or off'],
    ['--health', 'off', '--health must be an address and a port, such as 127.0.0.1:15000'],
    ['--health', '0.0.0.0:99999', '--health must be an address and a port, such as 127.0.0.1:15000'],
    ['--drain-seconds', '10s', '--drain-seconds must be a number of seconds from 0 to 3600'],
    ['--drain-seconds', '3601', '--drain-seconds must be a number of seconds from 0 to 3600'],
    ['--drain-seconds', '-1', "Option '--drain-seconds' argument is ambiguous"],
    ['-f', 'other.yaml', '-f is given twice'],
    ['--host', '127.0.0.1:3000', '--host is an address without a port: the file has the ports'],
    ['--keep-alive-seconds', '0', '--keep-alive-seconds must be a number of seconds from 1 to 86400'],
  ])('%s %s', (option, value, message) => {
    expect(() => parse(option, value)).toThrow(new StartupError(`${message}. See express-mcp-auth --help.`));
  });
});

describe('the shortest drain of a file is compared with the longest one that applies:', () => {
  const parseFile = (config: object, drainSeconds: number) =>
    parseConfigFile(JSON.stringify({ config, mcp: { targets: [scripted('one')] } }), '/', {
      process: { drainSeconds },
    });

  test('a shorter --drain-seconds is refused', () => {
    expect(() => parseFile({ connectionMinTerminationDeadline: '3s' }, 1)).toThrow(
      'config.connectionMinTerminationDeadline is longer than --drain-seconds, which is 1s: raise that too',
    );
  });

  test.each([{}, { connectionTerminationDeadline: '5s' }])('a longer --drain-seconds counts instead of %j', (more) => {
    const { process } = parseFile({ connectionMinTerminationDeadline: '20s', ...more }, 30);
    expect(process).toHaveProperty('minDrainSeconds', 20);
  });
});
