import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveAdminPassword } from '../../src/gateway/admin/admin-password.js';
import { parseCommandLine } from '../../src/gateway/command-line.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { StartupError } from '../../src/gateway/startup-error.js';
import { scripted } from '../support/file-gateway.js';
import { makeGatewayFolder } from '../support/gateway-folder.js';

const processOf = (adminPassword: unknown) =>
  parseConfigFile(JSON.stringify({ mcp: { targets: [scripted('x')] }, config: { adminPassword } }), '/etc').process;

test('the file and the command line name the password', () => {
  expect(processOf('correct horse')).toEqual({ adminPassword: { text: 'correct horse' } });
  expect(processOf({ file: 'password' })).toEqual({ adminPassword: { file: '/etc/password' } });
  const command = parseCommandLine(['-f', 'x.yaml', '--admin-password-file', 'password']);
  expect(command).toMatchObject({ process: { adminPassword: { file: resolve('password') } } });
});

test('a password in a file is read without the line end', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const file = join(folder.path, 'password');
  await writeFile(file, 'correct horse battery\n');
  expect(resolveAdminPassword({ file }, new InputFiles())).toBe('correct horse battery');
  expect(resolveAdminPassword(undefined, new InputFiles())).toBeUndefined();
});

test.each([
  [
    'too short',
    { text: 'short secret'.slice(0, 11) },
    'the password of the admin page (--admin-password-file or config.adminPassword) must have at least 12 characters',
  ],
  ['in a file that is not there', { file: '/nowhere/password' }, '/nowhere/password: the file does not exist'],
])('a password that is %s is refused, and not quoted', (_what, source, message) => {
  let error: unknown;
  try {
    resolveAdminPassword(source, new InputFiles());
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(StartupError);
  expect((error as Error).message).toContain(message);
  expect((error as Error).message).not.toContain('short');
});
