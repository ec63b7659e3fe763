import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
// A test runner started by another one reports to it in a binary form, unless it does not know.
const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;

test("the sample's suite passes under node:test", async () => {
  const { stdout } = await run(
    process.execPath,
    ['--test', '--test-reporter=tap', 'build/samples/test-suite/server.test.js'],
    {
      env,
    },
  );
  expect(stdout).toMatch(/^# pass 2$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});
