import { expect, test } from 'vitest';
import { parseCommandLine, type RunCommand } from '../../src/gateway/command-line.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { refuseSameAddresses } from '../../src/gateway/same-addresses.js';
import { scripted } from '../support/file-gateway.js';

/** The message with which a file with these settings is refused; `undefined` if it is accepted. */
function refusalOf(config: object, args: string, port = 3000): string | undefined {
  const command = parseCommandLine(['-f', 'config.yaml', ...args.split(' ').filter(Boolean)]) as RunCommand;
  const parsed = parseConfigFile(JSON.stringify({ config, mcp: { port, targets: [scripted('one')] } }), '/');
  try {
    refuseSameAddresses({ ...parsed, process: { ...parsed.process, ...command.process } }, command);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const ADVICE = 'are one address: choose another port for one of them';

test.each<[config: object, args: string, settings: string]>([
  [{ adminAddr: 'localhost:3000' }, '', 'mcp.port (0.0.0.0:3000) and config.adminAddr (127.0.0.1:3000)'],
  [{ statsAddr: '0.0.0.0:3000' }, '--host 10.0.0.7', 'mcp.port (10.0.0.7:3000) and config.statsAddr (0.0.0.0:3000)'],
  [
    { readinessAddr: '[::]:3000' },
    '--host 127.0.0.1',
    'mcp.port (127.0.0.1:3000) and config.readinessAddr ([::]:3000)',
  ],
  [{ statsAddr: '[::1]:3000' }, '--host ::', 'mcp.port ([::]:3000) and config.statsAddr ([::1]:3000)'],
  [{ statsAddr: 'mcp.test:3000' }, '--host mcp.test', 'mcp.port (mcp.test:3000) and config.statsAddr (mcp.test:3000)'],
  [
    { adminAddr: '127.0.0.1:9', readinessAddr: '0.0.0.0:9' },
    '',
    'config.adminAddr (127.0.0.1:9) and config.readinessAddr (0.0.0.0:9)',
  ],
  [{ adminAddr: 'off' }, '--admin 127.0.0.1:3000', 'mcp.port (0.0.0.0:3000) and --admin (127.0.0.1:3000)'],
  [{ statsAddr: '0.0.0.0:9' }, '--health 127.0.0.1:9', '--health (127.0.0.1:9) and config.statsAddr (0.0.0.0:9)'],
  [{}, '--dev-issuer --dev-issuer-port 3000', 'mcp.port (0.0.0.0:3000) and --dev-issuer-port (127.0.0.1:3000)'],
])('with %j and "%s", both are named', (config, args, settings) => {
  expect(refusalOf(config, args)).toBe(`${settings} ${ADVICE}`);
});

test.each<[config: object, args: string, port?: number]>([
  [{ adminAddr: '127.0.0.1:3001', statsAddr: '0.0.0.0:3002', readinessAddr: '0.0.0.0:3003' }, ''],
  [{ statsAddr: '127.0.0.1:3000' }, '--host 127.0.0.2'],
  [{ statsAddr: '[::1]:3000' }, '--host 127.0.0.1'],
  [{ adminAddr: '127.0.0.1:3000' }, '--admin off'],
  [{ adminAddr: '127.0.0.1:0', statsAddr: '127.0.0.1:0' }, '', 0],
  [{}, '', 15_000],
  [{ statsAddr: 'off' }, '--dev-issuer-port 3001 --dev-issuer'],
])('%j and "%s" are accepted', (config, args, port) => {
  expect(refusalOf(config, args, port)).toBeUndefined();
});
