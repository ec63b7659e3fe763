import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

// The sample is written for node:test; under Jest, all that changes is where `test` comes from.
const sample = new URL('../../build/samples/test-suite/', import.meta.url);
const suite = new URL('build/', import.meta.url);
await mkdir(suite, { recursive: true });
await cp(new URL('server.js', sample), new URL('server.js', suite));
const text = await readFile(new URL('server.test.js', sample), 'utf8');
await writeFile(new URL('server.test.js', suite), text.replace("'node:test'", "'@jest/globals'"));

const installed = new URL('node_modules/express-mcp-auth', import.meta.url);
await rm(installed, { force: true });
await symlink('../../..', installed, 'dir');

// Jest runs ES modules in node:vm, which is behind a flag.
const flags = ['--experimental-vm-modules', '--no-warnings'];
const jest = fileURLToPath(new URL('node_modules/jest/bin/jest.js', import.meta.url));
const cwd = fileURLToPath(new URL('.', import.meta.url));
const child = spawn(process.execPath, [...flags, jest], { cwd, stdio: 'inherit' });
const [code] = await once(child, 'close');
process.exitCode = code ?? 1;
