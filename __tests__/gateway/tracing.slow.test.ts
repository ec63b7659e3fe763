import { expect, test } from 'vitest';
import { scripted, serveFile } from '../support/file-gateway.js';
import { callText, open } from '../support/mcp-requests.js';
import { until } from '../support/until.js';

test('a collector that cannot be reached is a warning, and calls go on', async () => {
  const tracing = { host: '127.0.0.1:1', protocol: 'http', randomSampling: true };
  const { origin, gateway, lines } = await serveFile({
    mcp: { port: 0, targets: [scripted('one')] },
    frontendPolicies: { tracing },
  });
  expect(await callText(`${origin}/mcp`, await open(`${origin}/mcp`), 'echo', { a: 1 })).toBe('{"a":1}');
  await gateway.close();
  await until(() => lines.some((line) => line.startsWith('warn frontendPolicies.tracing: ')));
  expect(lines.find((line) => line.startsWith('warn frontendPolicies.tracing: '))).toContain('ECONNREFUSED');
});
