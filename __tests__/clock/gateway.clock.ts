import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { createTestIssuer } from '../../src/testing/index.js';
import { configText } from '../support/config-text.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';
import { callText, open } from '../support/mcp-requests.js';
import { CLI, startNode } from '../support/program.js';
import { SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const folder = gatewayFolderForTests();

/** Starts the command under Debian's faketime, so that its date, and nothing else, can be set. */
async function startGateway(config: string) {
  const date = await folder.write('date', '+0');
  const preload = execFileSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).trim();
  const env = {
    LD_PRELOAD: preload,
    FAKETIME_TIMESTAMP_FILE: date,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const program = startNode([CLI, '-f', await folder.write('config.yaml', config), '--host', '127.0.0.1'], { env });
  const [, address] = await program.says(/Listening on (\S+)/);
  return { url: `http://${address}/mcp`, setDate: (offset: string) => folder.write('date', offset) };
}

async function startIssuer() {
  const issuer = createTestIssuer();
  await issuer.listen();
  onTestFinished(() => issuer.close());
  return issuer;
}

const hoursOff = (response: Response) =>
  Math.round((Date.parse(response.headers.get('date') ?? '') - Date.now()) / 3_600_000);

test.each([-5, 5])(
  'the date moves by %d hours while the key server is away: seconds later it is asked again',
  async (hours) => {
    const issuer = await startIssuer();
    const { resourceMetadata, jwks, ...policy } = issuer.policy({ resource: 'http://localhost:3000/mcp' });
    const stdio = { cmd: process.execPath, args: [SCRIPTED] };
    const route = {
      backends: [{ mcp: { targets: [{ name: 'scripted', stdio }] } }],
      policies: { mcpAuthentication: { ...policy, jwks, resourceMetadata } },
    };
    const { url, setDate } = await startGateway(configText({ bind: { port: 0 }, route }));
    const bearer = () => ({ authorization: `Bearer ${issuer.token({ expiresInSeconds: 86_400 })}` });
    const ask = () => fetch(url, { headers: bearer() });

    await issuer.close();
    expect((await ask()).status).toBe(503);
    await setDate(`${hours > 0 ? '+' : ''}${hours}h`);
    await until(async () => hoursOff(await ask()) === hours);
    await issuer.listen();
    await until(async () => (await ask()).status !== 503, 40_000);

    const session = await open(url, bearer());
    const pid = await callText(url, session, 'pid');
    await setDate('+0');
    await until(async () => hoursOff(await ask()) === 0);
    expect(await callText(url, session, 'pid')).toBe(pid);
  },
);
