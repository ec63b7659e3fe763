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

test("the sample's suite with a backend passes under node:test, and ends", async () => {
  const args = ['--test', '--test-reporter=tap', 'build/samples/test-suite/backend.test.js'];
  const { stdout } = await run(process.execPath, args, { env, timeout: 60_000 });
  expect(stdout).toMatch(/^# pass 1$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
}, 70_000);

test('a listening issuer that is not closed does not keep the process running', async () => {
  const program = `
    import { createTestIssuer } from './dist/testing/index.js';
    const address = await createTestIssuer().listen();
    console.log((await fetch(address + '/.well-known/jwks.json')).status);
    process.on('exit', () => console.log(performance.now() - started < 2_000));
    const started = performance.now();
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { env });
  expect(stdout).toBe('200\ntrue\n');
});
