import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { open } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { startRecordingTarget } from '../support/recording-target.js';

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** Serves a remote target at every address of IPv6 and IPv4, as `--host ::` does. */
async function start(config: object) {
  const target = await startRecordingTarget();
  const file = {
    config,
    frontendPolicies: { accessLog: {} },
    mcp: {
      port: 0,
      targets: [{ mcp: { host: target.url } }],
      policies: { authorization: { rules: ['source.address in ["127.0.0.1", "203.0.113.7", "::1"]'] } },
    },
  };
  const { logger, lines } = createRecordingLogger();
  const gateway = createGateway(parseConfigFile(JSON.stringify(file), '/'), logger);
  onTestFinished(() => gateway.close());
  const [address] = await gateway.listen('::');
  return { target, lines, address, port: /:(\d+)$/.exec(address as string)?.[1] };
}

test.runIf(HAS_IPV6).each([
  ['127.0.0.1', 'its address', {}, '127.0.0.1'],
  ['[::1]', 'its address', {}, '::1'],
  ['127.0.0.1', 'that of a trusted proxy', { trustProxy: ['127.0.0.1'] }, '203.0.113.7'],
])(
  'with --host :: a client at %s is known by %s in rules, the access log and targets',
  async (host, _by, config, seen) => {
    const { target, lines, address, port } = await start(config);
    expect(address).toBe(`[::]:${port}`);
    await open(`http://${host}:${port}/mcp`, { 'x-forwarded-for': '203.0.113.7' });
    expect(target.arrived.map(({ headers }) => headers['x-forwarded-for'])).toEqual([seen]);
    expect(lines.find((line) => line.includes('initialize'))).toContain(seen);
  },
);
