import { expect, test } from 'vitest';
import { initialize, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serveTargets } from '../support/several-backend.js';
import { until } from '../support/until.js';

test('the log lines of programs name their target, since several programs may have the same command', async () => {
  const { lines, logger } = createRecordingLogger();
  const talks = { command: process.execPath, args: ['-e', 'console.error("no key"); process.exit(3)'] };
  const { url } = await serveTargets({ targets: { notes: talks, mail: { command: 'no-such-program' } }, logger });
  await post(url, initialize());
  await until(() => lines.some((line) => line.includes('ended by itself')));
  const text = lines.join('\n');
  expect(text).toMatch(/^info child \d+ \(notes\): no key$/m);
  expect(text).toMatch(/^warn child \d+ \(notes\) ended by itself \(code 3\): .* lines on stderr: no key$/m);
  expect(text).toContain('error the MCP server "no-such-program" of target "mail" did not start');
});
