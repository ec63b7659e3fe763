import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const local = (path) => new URL(path, import.meta.url);
await mkdir(local('build/'), { recursive: true });

// The sample is written for node:test. Under Jest, only the import of `test` differs.
const sample = new URL('build/samples/test-suite/', root);
await cp(new URL('server.js', sample), local('build/server.js'));
const text = await readFile(new URL('server.test.js', sample), 'utf8');
await writeFile(local('build/server.test.js'), text.replace("'node:test'", "'@jest/globals'"));

// Installs the packed tarball, not a link: Jest resolves real paths, and must not mix this package's dependencies with its own.
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', fileURLToPath(local('build/'))];
const [{ filename }] = JSON.parse(execFileSync(npm, pack, { cwd: fileURLToPath(root), encoding: 'utf8' }));
const install = ['install', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', `./build/${filename}`];
execFileSync(npm, install, { cwd: fileURLToPath(local('.')), stdio: ['ignore', 'ignore', 'inherit'] });

/** A suite of ES modules runs in node:vm, which needs a flag. A suite of CommonJS needs none. */
const SUITES = [
  { tests: '**/build/*.test.js', flags: ['--experimental-vm-modules', '--no-warnings'] },
  { tests: '**/*.test.cjs', flags: [] },
];

const jest = fileURLToPath(local('node_modules/jest/bin/jest.js'));
for (const { tests, flags } of SUITES) {
  const args = [...flags, jest, '--testMatch', tests];
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(local('.')), stdio: 'inherit' });
  const [code] = await once(child, 'close');
  if (code !== 0) process.exitCode = 1;
}
