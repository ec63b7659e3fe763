import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { CLI, endPrograms, startNode } from '../support/program.js';
import { until } from '../support/until.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

const cli = (...args: string[]) => startNode([CLI, ...args], { cwd: folder.path });

test('--log json writes one object a line, also about the end of a child, and no debug lines', async () => {
  const crash = {
    name: 'gone',
    stdio: { cmd: process.execPath, args: ['-e', 'console.error("no key"); process.exit(3)'] },
  };
  const mcp = { port: 0, targets: [crash] };
  await folder.write('json.yaml', JSON.stringify({ config: { logging: { level: 'debug' } }, mcp }));
  const program = cli('-f', 'json.yaml', '--host', '127.0.0.1', '--log', 'json', '--log-level', 'info');
  const [, port] = await program.says(/"Listening on 127\.0\.0\.1:(\d+)"/);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  expect((await fetch(`http://127.0.0.1:${port}/mcp`, { method: 'POST', body, headers })).status).toBe(502);
  await until(() => program.stderr.includes('ended by itself'));
  expect(await program.stop()).toBe(0);
  const lines = `${program.stdout}${program.stderr}`
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).not.toContainEqual(expect.objectContaining({ level: 'debug' }));
  expect(lines).toContainEqual({
    time: expect.stringMatching(/^\d{4}-/),
    level: 'warn',
    message: expect.stringMatching(/^child \d+ ended by itself \(code 3\): .* Its last lines on stderr: no key$/),
    route: 'mcp',
  });
});

test('--log json holds for a failure of the start', async () => {
  const refused = cli('-f', 'no-such-file.yaml', '--log', 'json');
  expect(await refused.ended).toBe(1);
  expect(JSON.parse(refused.stderr)).toMatchObject({
    level: 'error',
    message: 'no-such-file.yaml: the file does not exist',
  });
});
