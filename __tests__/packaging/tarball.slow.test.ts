import { readFile, rename, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configText } from '../support/config-text.js';
import { installPackedProject, type PackedProject, run } from '../support/packed-project.js';
import { ROOT } from '../support/program.js';

describe('the packed tarball', () => {
  let project: PackedProject;

  beforeAll(async () => {
    project = await installPackedProject();
  }, 60_000);

  afterAll(() => project.remove());

  test('contains the built package, its documents and samples, and nothing else', () => {
    const unexpected = project.packed.filter(
      (path) => !/^(dist\/|docs\/|samples\/|[A-Z]+(\.md)?$|package\.json$)/.test(path),
    );
    expect(unexpected).toEqual([]);
    expect(project.packed).toContain('dist/gateway/cli.js');
    const forContributors = ['docs/conventions.md', 'docs/design.md'];
    expect(project.packed.filter((path) => forContributors.includes(path))).toEqual([]);
  });

  test('contains every file that its pages link to', async () => {
    const pages = project.packed.filter((path) => path.endsWith('.md'));
    const links = await Promise.all(
      pages.map(async (page) => {
        const text = await readFile(ROOT + page, 'utf8');
        const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) => target);
        return targets.map((target) => posix.join(posix.dirname(page), target));
      }),
    );
    const linked = links.flat().map((path) => path.replace(/\/$/, ''));
    expect(linked).toEqual(expect.arrayContaining(['docs/errors.md', 'samples/keycloak/README.md']));
    const isPacked = (path: string) => project.packed.some((each) => each === path || each.startsWith(`${path}/`));
    expect(linked.filter((path) => !isPacked(path))).toEqual([]);
  });

  test('contains the samples of the repository, and none that a run has made', async () => {
    const args = ['ls-files', '--cached', '--others', '--exclude-standard', 'samples'];
    const { stdout } = await run('git', args, { cwd: ROOT });
    const files = stdout.trim().split('\n');
    const packed = project.packed.filter((path) => path.startsWith('samples/'));
    expect(packed.sort()).toEqual(files.filter((path) => path !== 'samples/tsconfig.json').sort());
  });

  test.each(['esm.mjs', 'commonjs.cjs'])('works from %s', async (file) => {
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: project.folder });
    const { names, answers } = JSON.parse(stdout);
    expect(names).toEqual(
      expect.arrayContaining(['getAuth', 'mcpAuth', 'mcpStdioBackend', 'protectedResourceMetadata']),
    );
    expect(answers).toEqual([401, 200]);
    expect(stderr).toBe('');
  });

  test('contains the command', async () => {
    const { stdout } = await run(process.platform === 'win32' ? 'npx.cmd' : 'npx', ['express-mcp-auth', '--version'], {
      cwd: project.folder,
    });
    expect(stdout.trim()).toBe(JSON.parse(await readFile(`${ROOT}package.json`, 'utf8')).version);
  });

  test('names the optional packages that OpenTelemetry needs', async () => {
    // A dependency has it in it, but package managers need not show it to this package.
    const api = join(project.folder, 'node_modules/@opentelemetry/api');
    await rename(api, `${api}.away`);
    const importing = run(process.execPath, ['--eval', "import('express-mcp-auth/telemetry')"], {
      cwd: project.folder,
    });
    await expect(importing).rejects.toThrow(
      'express-mcp-auth/telemetry needs the package @opentelemetry/api: npm install @opentelemetry/api',
    );
    await rename(`${api}.away`, api);
    const file = join(project.folder, 'traced.yaml');
    await writeFile(file, configText({ root: { frontendPolicies: { tracing: { host: 'localhost:4317' } } } }));
    const checking = run('npx', ['express-mcp-auth', '--validate-only', '-f', file], { cwd: project.folder });
    await expect(checking).rejects.toThrow(
      'frontendPolicies.tracing: needs the package @opentelemetry/sdk-node: npm install @opentelemetry/sdk-node @opentelemetry/api',
    );
  });

  test('names the optional package that --dev-issuer needs', async () => {
    const mcpAuthentication = { issuer: 'a', resourceMetadata: { resource: 'http://localhost:3000/mcp' } };
    const file = join(project.folder, 'gateway.yaml');
    await writeFile(file, configText({ route: { policies: { mcpAuthentication } } }));
    for (const more of [[], ['--validate-only', '--online']]) {
      const args = ['node_modules/express-mcp-auth/dist/gateway/cli.js', '-f', file, '--dev-issuer', ...more];
      await expect(run(process.execPath, args, { cwd: project.folder })).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          'express-mcp-auth: --dev-issuer needs the package oidc-provider: npm install --save-dev oidc-provider\n',
        ),
      });
    }
  });

  test('gives publint nothing to say', async () => {
    const bytes = await readFile(project.tarball);
    const { messages } = await publint({ strict: true, pack: { tarball: new Uint8Array(bytes).buffer } });
    expect(messages).toEqual([]);
  });
});
