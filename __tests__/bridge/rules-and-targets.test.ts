import { expect, onTestFinished, test } from 'vitest';
import { type McpBackendOptions, mcpBackend } from '../../src/index.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { createRuledApp, toolCall } from '../support/ruled-app.js';

const DELETE = [{ deny: 'mcp.tool.name == "delete"' }];
const target = { command: process.execPath, args: ['-e', 'process.stdin.resume()'] };

function several(options: Partial<McpBackendOptions> = {}) {
  const { logger, lines } = createRecordingLogger();
  const backend = mcpBackend({ targets: { a: target, b: target }, logger, ...options });
  onTestFinished(() => backend.close());
  return { backend, lines };
}

test.each<[what: string, options: Partial<McpBackendOptions>]>([
  ['two targets', {}],
  ['one target whose names have a prefix', { targets: { a: target }, prefixMode: 'always' }],
])('a backend with %s refuses what rules without it have decided', async (_what, options) => {
  const { backend, lines } = several(options);
  const { post } = createRuledApp({ rules: DELETE }, { after: [backend] });
  expect((await post(toolCall('a_delete'))).status).toBe(500);
  expect((await post(toolCall('a_delete'))).status).toBe(500);
  expect(lines.filter((line) => line.startsWith('error'))).toEqual([
    expect.stringContaining('mcpBackend(): mcpAuthorization() without backend decided on this request'),
  ]);
});

test('rules that know the backend see the names of its targets', async () => {
  const { backend } = several();
  const rules = [...DELETE, { deny: 'mcp.tool.target == "b" && mcp.tool.name == "x"' }];
  const { post } = createRuledApp({ rules, backend }, { after: [(_req, res) => void res.end('{"through":true}')] });
  const answers = await Promise.all(
    ['a_delete', 'b_delete', 'b_x', 'a_x', 'a_b_delete'].map((name) => post(toolCall(name))),
  );
  expect(answers.map(({ text }) => /Unknown tool/.test(text))).toEqual([true, true, true, false, false]);
});
