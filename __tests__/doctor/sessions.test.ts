import { afterEach, expect, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe } from '../../src/doctor/probe.js';
import type { Middleware } from '../../src/index.js';
import { lineOf } from '../support/faulty-server.js';
import { type Served, serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

let served: Served | undefined;
afterEach(() => served?.stop());

const challenge: Middleware = (req, res, next) => {
  if (req.headers.authorization !== undefined) return next();
  const { host } = req.headers;
  const metadata = `http://${host}/.well-known/oauth-protected-resource/mcp`;
  res.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${metadata}"` }).end();
};

test.each([
  ['with a token', [challenge], 'alice'],
  ['at an open server', [], undefined],
])('%s, a walk leaves no session and no child behind', async (_what, before, token) => {
  const running = await serve({}, 'Express 5', before);
  served = running;
  const methods: string[] = [];
  running.server.prependListener('request', (req) => methods.push(req.method ?? ''));
  const lines: string[] = [];
  for await (const finding of diagnose({ url: running.url, token }, createProbe(running.url)))
    lines.push(lineOf(finding));
  expect(lines).toContain(token === undefined ? lines[0] : '✓ token: accepted (200)');
  expect(methods).toContain('DELETE');
  await until(() => running.backend.stats().sessions === 0 && running.backend.stats().children === 0);
});
