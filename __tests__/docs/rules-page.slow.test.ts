import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { blockToRun } from '../support/code-blocks.js';
import { CLI, ROOT } from '../support/program.js';

test('the commands of docs/rules.md say which rule decides', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'rules-page-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  await copyFile(`${ROOT}samples/rules/config.yaml`, join(cwd, 'config.yaml'));
  const commands = blockToRun('docs/rules.md', 'rules-test').replace(
    'npx express-mcp-auth',
    `${process.execPath} ${CLI}`,
  );
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile('sh', ['-c', commands], { cwd }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, stdout: out, stderr: err }),
    );
  });
  expect(stdout.split('\n')).toEqual([
    'binds[0].listeners[0].routes[0].policies.mcpAuthorization',
    '  denied: the tool echo: rules[2].deny decides: mcp.tool.name == "echo" && mcp.tool.arguments.message.contains("password")',
    '',
  ]);
  expect([code, stderr]).toEqual([1, '']);
});
