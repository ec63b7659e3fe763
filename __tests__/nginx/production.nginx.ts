import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { SERVER } from '../support/certificates.js';
import { freePort, serve } from '../support/loopback-server.js';
import { PROXY_LINES, startNginx } from '../support/nginx.js';
import { endPrograms, ROOT } from '../support/program.js';

afterAll(endPrograms);

test('samples/production/nginx.conf is accepted by nginx, and passes on what the command reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'production-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'tls.crt'), SERVER.cert);
  await writeFile(join(folder, 'tls.key'), SERVER.key);
  const upstream = new URL(
    await serve((req, res) => void res.setHeader('content-type', 'application/json').end(JSON.stringify(req.headers))),
  );
  const port = await freePort();
  const replaced = [
    ['127.0.0.1:3000', upstream.host],
    ['/etc/ssl/mcp', folder],
    ['listen 443', `listen 127.0.0.1:${port}`],
  ] as const;
  const written = readFileSync(`${ROOT}samples/production/nginx.conf`, 'utf8');
  for (const [text] of replaced) expect(written).toContain(text);
  const conf = replaced.reduce((text, [from, to]) => text.replaceAll(from, to), written);
  await startNginx(upstream.origin, PROXY_LINES, conf);
  const received = await new Promise<Record<string, string>>((resolve, reject) => {
    const headers = { host: 'mcp.example.com', 'x-forwarded-for': '203.0.113.9' };
    const options = { ca: SERVER.cert, headers, servername: '' };
    get(`https://127.0.0.1:${port}/mcp`, options, async (res) => {
      const chunks = await res.toArray();
      resolve(JSON.parse(Buffer.concat(chunks).toString()));
    }).on('error', reject);
  });
  expect(received).toMatchObject({
    host: 'mcp.example.com',
    'x-forwarded-for': '203.0.113.9, 127.0.0.1',
    'x-forwarded-host': 'mcp.example.com',
    'x-forwarded-proto': 'https',
    'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(received).not.toHaveProperty('connection', 'close');
});
