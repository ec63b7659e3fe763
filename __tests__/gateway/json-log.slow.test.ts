import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { call, open, post } from '../support/mcp-requests.js';
import { CLI, endPrograms, startNode } from '../support/program.js';
import { SCRIPTED } from '../support/stdio-bridge.js';
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

test('--log json writes a call of the access log as one object, with the id of its own request', async () => {
  const echo = { name: 'one', stdio: { cmd: process.execPath, args: [SCRIPTED] } };
  const accessLog = {
    add: { 'call.ms': 'mcp.durationMs', agent: 'request.headers["user-agent"]' },
    remove: ['src.addr'],
  };
  const file = { frontendPolicies: { accessLog }, mcp: { port: 0, targets: [echo] } };
  await folder.write('access.yaml', JSON.stringify(file));
  const program = cli('-f', 'access.yaml', '--host', '127.0.0.1', '--log', 'json');
  const [, port] = await program.says(/"Listening on 127\.0\.0\.1:(\d+)"/);
  const url = `http://127.0.0.1:${port}/mcp`;
  const session = await open(url, { 'x-request-id': 'opens' });
  await (await post(url, call(1, 'echo', { text: 'secret' }), { ...session, 'x-request-id': 'calls' })).text();
  await program.says(/tools\/call/);
  expect(await program.stop()).toBe(0);
  const lines = program.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toContainEqual({
    time: expect.stringMatching(/^\d{4}-/),
    level: 'info',
    message: 'request',
    route: 'default',
    'http.method': 'POST',
    'http.host': '127.0.0.1',
    'http.path': '/mcp',
    'mcp.method.name': 'tools/call',
    'mcp.target': 'one',
    'mcp.resource.type': 'tool',
    'gen_ai.tool.name': 'echo',
    credential: 'anonymous',
    outcome: 'answered',
    duration: expect.stringMatching(/^\d+ms$/),
    bytesIn: expect.any(Number),
    bytesOut: expect.any(Number),
    requestId: 'calls',
    'call.ms': expect.any(Number),
    agent: 'node',
  });
  expect(program.stdout).not.toContain('secret');
});
