import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { serveFile } from '../support/file-gateway.js';
import { freePort, listen, stop } from '../support/loopback-server.js';
import { until } from '../support/until.js';

const MISSING = 'mcp: the MCP server is not there, or cannot be reached';

test('/readyz says ready again when a remote server is back, with one line in the log for each change, and its reason', async () => {
  const port = await freePort();
  const file = { mcp: { port: 0, targets: [{ name: 'one', mcp: { host: `http://127.0.0.1:${port}/mcp` } }] } };
  const { gateway, lines } = await serveFile(file);
  // The first check may take longer than a probe waits.
  await until(async () => (await gateway.problems())[0] === MISSING);
  for (let probe = 0; probe < 3; probe++) expect(await gateway.problems()).toEqual([MISSING]);
  const server = createServer((_req, res) => res.writeHead(405).end());
  await listen(server, port);
  onTestFinished(() => stop(server));
  await until(async () => (await gateway.problems()).length === 0);
  const reason = `connect ECONNREFUSED 127.0.0.1:${port}`;
  expect(lines).toEqual([`warn Not ready: ${MISSING} (${reason})`, 'info Ready again']);
});
