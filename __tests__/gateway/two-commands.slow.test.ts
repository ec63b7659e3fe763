import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { CLI, endPrograms, type Program, startNode } from '../support/program.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

let files = 0;
const start = async (config: object, ...args: string[]) => {
  const target = { stdio: { cmd: NODE, args: [SCRIPTED] } };
  const file = await folder.write(`${++files}.yaml`, JSON.stringify({ config, mcp: { port: 0, targets: [target] } }));
  return startNode([CLI, '-f', file, '--host', '127.0.0.1', ...args]);
};

const NO_ADMIN = /^WARN express-mcp-auth: no admin address: 127\.0\.0\.1:15000 cannot be opened .*\n$/;

/** Starts a command that gets the admin address, which another test may have for a while. */
async function startWithAdmin(): Promise<Program> {
  for (;;) {
    const program = await start({});
    await program.says(/Listening/);
    expect((await fetch('http://127.0.0.1:15000/healthz')).status).toBe(200);
    if (program.stderr === '') return program;
    await program.stop();
  }
}

test('two commands on one machine both serve: only one has the admin address, and the other warns once', async () => {
  const first = await startWithAdmin();
  const second = await start({});
  const [, address] = await second.says(/Listening on (\S+)\n/);
  expect((await fetch(`http://${address}/mcp`)).status).toBe(400);
  await until(() => second.stderr !== '');
  expect(second.stderr).toMatch(NO_ADMIN);
  expect([await first.stop(), await second.stop()]).toEqual([0, 0]);
});

test('an address for health that is taken is refused at start, and so is an admin address of the file', async () => {
  const first = await start({}, '--admin', 'off', '--health', '127.0.0.1:0');
  const [, taken = ''] = await first.says(/Health on http:\/\/(\S+)\n/);
  const refused = [
    await start({}, '--admin', 'off', '--health', taken),
    await start({ adminAddr: taken }),
    // The command line overrides the file.
    await start({ readinessAddr: '127.0.0.1:0' }, '--admin', 'off', '--health', taken),
  ];
  for (const program of refused) {
    expect(await program.ended).toBe(1);
    expect(program.stderr).toMatch(
      /^express-mcp-auth: \S+ cannot be opened \(another program uses it\): choose another/,
    );
  }
});
