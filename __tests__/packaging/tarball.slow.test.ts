import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { beforeAll, describe, expect, test } from 'vitest';
import { configText } from '../support/config-text.js';
import { ROOT } from '../support/program.js';

const run = promisify(execFile);
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

describe('the packed tarball', () => {
  let project: string;
  let tarball: string;
  let packed: string[];

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'consumer-'));
    const { stdout } = await run(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', project], {
      cwd: ROOT,
    });
    const [{ filename, files }] = JSON.parse(stdout);
    tarball = join(project, filename);
    packed = files.map(({ path }: { path: string }) => path);

    await cp(`${ROOT}__tests__/packaging/consumers`, project, { recursive: true });
    const { devDependencies } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
    const dependencies = { 'express-mcp-auth': `file:${filename}`, express: devDependencies.express };
    const types = {
      '@types/express': devDependencies['@types/express'],
      '@types/node': devDependencies['@types/node'],
    };
    await writeFile(
      join(project, 'package.json'),
      JSON.stringify({ type: 'module', dependencies: { ...dependencies, ...types } }),
    );
    await run(npm, ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: project });
    return () => rm(project, { recursive: true, force: true });
  }, 60_000);

  test('holds the built package and its documents, and nothing else', () => {
    const unexpected = packed.filter((path) => !/^(dist\/|docs\/|[A-Z]+(\.md)?$|package\.json$)/.test(path));
    expect(unexpected).toEqual([]);
    expect(packed).toContain('dist/gateway/cli.js');
  });

  test.each(['esm.mjs', 'commonjs.cjs'])('works from %s', async (file) => {
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: project });
    const { names, answers } = JSON.parse(stdout);
    expect(names).toEqual(
      expect.arrayContaining(['getAuth', 'mcpAuth', 'mcpStdioBackend', 'protectedResourceMetadata']),
    );
    expect(answers).toEqual([401, 200]);
    expect(stderr).toBe('');
  });

  test('works from TypeScript with module nodenext, declarations checked', async () => {
    const tsc = `${ROOT}node_modules/typescript/bin/tsc`;
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
    await run(process.execPath, [tsc, ...options, 'nodenext.ts'], { cwd: project });
  });

  test('brings the command along', async () => {
    const { stdout } = await run(process.platform === 'win32' ? 'npx.cmd' : 'npx', ['express-mcp-auth', '--version'], {
      cwd: project,
    });
    expect(stdout.trim()).toBe(JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')).version);
  });

  test('names the optional package that --dev-issuer needs', async () => {
    const mcpAuthentication = { issuer: 'a', resourceMetadata: { resource: 'http://localhost:3000/mcp' } };
    const file = join(project, 'gateway.yaml');
    await writeFile(file, configText({ route: { policies: { mcpAuthentication } } }));
    const args = ['node_modules/express-mcp-auth/dist/gateway/cli.js', '-f', file, '--dev-issuer'];
    await expect(run(process.execPath, args, { cwd: project })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'express-mcp-auth: --dev-issuer needs the package oidc-provider: npm install --save-dev oidc-provider\n',
      ),
    });
  });

  test('gives publint nothing to say', async () => {
    const bytes = await readFile(tarball);
    const { messages } = await publint({ strict: true, pack: { tarball: new Uint8Array(bytes).buffer } });
    expect(messages).toEqual([]);
  });
});
