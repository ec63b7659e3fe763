import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { installPackedProject, type PackedProject, run } from '../support/packed-project.js';

let project: PackedProject;
let copy: string;

beforeAll(async () => {
  project = await installPackedProject();
  const modules = join(project.folder, 'node_modules');
  const plugin = join(modules, 'plugin');
  copy = join(plugin, 'node_modules/express-mcp-auth');
  await mkdir(join(plugin, 'node_modules'), { recursive: true });
  await cp(join(modules, 'express-mcp-auth'), copy, { recursive: true });
  await cp(join(project.folder, 'plugin.mjs'), join(plugin, 'index.mjs'));
  await writeFile(join(plugin, 'package.json'), JSON.stringify({ name: 'plugin', exports: './index.mjs' }));
}, 120_000);

afterAll(() => project.remove());

async function outputOf(program: string): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [program], { cwd: project.folder });
  return JSON.parse(stdout);
}

const METADATA = 'resource_metadata="http://localhost/.well-known/oauth-protected-resource/mcp"';

test('a copy of the package reads the identity that another copy verified, and refuses with its challenge', async () => {
  const { isOneCopy, alice, anonymous, copiedRequest, started, ofSession, foreign, refused, unauthorized } =
    await outputOf('two-copies.mjs');
  expect(isOneCopy).toBe(false);
  expect(alice).toMatchObject({ status: 200, text: '"alice"' });
  expect(anonymous).toMatchObject({ status: 200, text: '"anonymous"' });
  expect(copiedRequest).toMatchObject({
    status: 500,
    text: expect.stringContaining('replaced the request object'),
  });
  expect(started).toMatchObject({
    status: 200,
    text: expect.stringContaining('"name":"alice"'),
    session: expect.stringMatching(/^[\da-f-]{36}$/),
  });
  expect(ofSession).toMatchObject({ status: 200 });
  expect(foreign).toMatchObject({ status: 404, text: expect.stringContaining('"unknown_session"') });
  expect(refused).toMatchObject({
    status: 403,
    challenge: expect.stringMatching(/error="insufficient_scope".*scope="files:write"/),
  });
  expect(unauthorized).toMatchObject({ status: 401, challenge: expect.stringContaining(METADATA) });
});

test('a copy with another format of shared state throws, and treats no verified caller as anonymous', async () => {
  const chunks = join(copy, 'dist/chunks');
  const raised = await Promise.all(
    (await readdir(chunks)).map(async (name) => {
      const file = join(chunks, name);
      const text = await readFile(file, 'utf8');
      const other = text.replace('const FORMAT = 1;', 'const FORMAT = 2;');
      await writeFile(file, other);
      onTestFinished(() => writeFile(file, text));
      return other !== text;
    }),
  );
  expect(raised.filter(Boolean)).toHaveLength(1);
  const { alice, anonymous, started, refused } = await outputOf('two-copies.mjs');
  const failure = { status: 500, text: expect.stringContaining('another version of express-mcp-auth verified') };
  expect(alice).toMatchObject(failure);
  expect(started).toMatchObject(failure);
  expect(refused).toMatchObject(failure);
  expect(anonymous).toMatchObject({ status: 200, text: '"anonymous"' });
});

test('require() and import give the same functions', async () => {
  expect(await outputOf('one-copy.cjs')).toEqual({ names: 16, differing: [] });
});

test.each([
  ['express-oauth2-jwt-bearer', 'bound', 'plain'],
  ['jsonwebtoken', 'plain', undefined],
])(
  'if %s cannot be loaded, a request is answered 503, not 401: it is not the fault of the client',
  async (name, failing, passing) => {
    const folder = join(project.folder, 'node_modules', name);
    await rename(folder, `${folder}.away`);
    onTestFinished(async () => {
      await rm(folder, { recursive: true });
      await rename(`${folder}.away`, folder);
    });
    // Replaced by an empty package: Node would search for a missing one in the parent folders.
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name, exports: {} }));
    const answers = await outputOf('missing-package.mjs');
    expect(answers[failing]).toEqual([503, 'package_unavailable', null, '30']);
    expect(answers.lines).toContainEqual(expect.stringContaining(`"package":"${name}"`));
    if (passing !== undefined) expect(answers[passing]).toEqual([200, 'passed', null, null]);
  },
);
