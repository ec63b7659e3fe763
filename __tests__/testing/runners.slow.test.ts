import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
// Without these variables, the inner test runner writes text; with them, it would report to the outer one in a binary format.
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
