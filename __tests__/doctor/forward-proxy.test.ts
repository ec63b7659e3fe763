import { expect, onTestFinished, test, vi } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe } from '../../src/doctor/probe.js';
import { lineOf } from '../support/faulty-server.js';
import { hasEnvProxy, startForwardProxy } from '../support/forward-proxy.js';
import { unreachableUrl } from '../support/loopback-server.js';

const TARGET = 'http://93.184.216.34/mcp';

async function linesBehindProxy(document: string) {
  const asked = await startForwardProxy((_req, res) =>
    res.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${document}"` }).end(),
  );
  const lines: string[] = [];
  for await (const finding of diagnose({ url: TARGET }, createProbe(TARGET))) lines.push(lineOf(finding));
  return { asked, lines };
}

test.skipIf(!hasEnvProxy).each([
  ['a link-local address', 'http://169.254.169.254/latest/meta-data', '169.254.169.254'],
  ['a mapped private address', 'http://[::ffff:10.0.0.1]/', '::ffff:a00:1'],
  ['this machine', 'http://localhost/', 'localhost'],
])(
  'a public server does not lead to %s through a proxy (not on Node 20: node:http has none)',
  async (_what, document, host) => {
    const { asked, lines } = await linesBehindProxy(document);
    expect(asked).toContain(TARGET);
    expect(asked).not.toContain(document);
    expect(lines.join('\n')).toContain(`✗ resource metadata: ${document}: cannot be read: not called, since ${host}`);
  },
);

test.skipIf(!hasEnvProxy)(
  'the proxy is asked for a name that only it may know (not on Node 20: node:http has none)',
  async () => {
    const document = 'http://document.invalid/';
    expect((await linesBehindProxy(document)).asked).toContain(document);
  },
);

test('the address of the target decides, before it has answered', async () => {
  const probe = createProbe(TARGET);
  for (const url of ['http://127.0.0.1/', 'http://localhost/', 'http://169.254.169.254/latest/meta-data']) {
    await expect(probe(url)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
  }
});

test.each([
  [
    'a name',
    'http://server.invalid/mcp',
    /the host name .* HTTP_PROXY is not used for this: start Node with NODE_USE_ENV_PROXY=1\. C/,
  ],
  [
    'this machine',
    async () => `${await unreachableUrl()}mcp`,
    /refused \(ECONNREFUSED\)\. No client gets an answer\. Start the server/,
  ],
])(
  'no answer: the forward proxy that was not used is named, if it is for this server: %s',
  async (_what, where, line) => {
    vi.stubEnv('HTTP_PROXY', 'http://proxy.invalid:3128');
    vi.stubEnv('NODE_USE_ENV_PROXY', undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const url = typeof where === 'string' ? where : await where();
    const lines: string[] = [];
    for await (const finding of diagnose({ url }, createProbe(url))) lines.push(lineOf(finding));
    expect(lines).toEqual([expect.stringMatching(line)]);
  },
);
