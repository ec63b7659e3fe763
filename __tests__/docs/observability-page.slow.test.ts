import { expect, onTestFinished, test } from 'vitest';
import { blockToRun } from '../support/code-blocks.js';
import { startDevGateway } from '../support/dev-gateway.js';
import { makeGatewayFolder } from '../support/gateway-folder.js';
import { startProgram } from '../support/program.js';

test('the command answers the requests of docs/observability.md', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const { program } = await startDevGateway(folder, {}, { args: ['--admin', '127.0.0.1:0'] });
  onTestFinished(async () => void (await program.stop()));
  const [, address = ''] = await program.says(/Admin UI available at http:\/\/(localhost:\d+)\/ui\//);
  const block = blockToRun('docs/observability.md', 'ask');
  const asked = startProgram('sh', [
    '-ec',
    block.replaceAll('localhost:15000', address).replaceAll('curl', 'curl -sS --fail'),
  ]);
  expect(await asked.ended, asked.stderr).toBe(0);
  for (const part of ['{"ready":true}', '# TYPE mcp_requests_total counter', 'HTTP/1.1 200 OK', 'text/html'])
    expect(asked.stdout).toContain(part);
});
