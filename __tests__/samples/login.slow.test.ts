import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { blockToRun, codeBlocksOf } from '../support/code-blocks.js';
import { freePort } from '../support/loopback-server.js';
import { logIn } from '../support/mcp-login.js';
import { installPackedProject, type PackedProject, run } from '../support/packed-project.js';
import { startProgram } from '../support/program.js';

let project: PackedProject;
beforeAll(async () => {
  project = await installPackedProject();
}, 60_000);
afterAll(() => project.remove());

const wordsOf = (command: string): string[] => command.trim().split(' ');

/** In an empty folder, what README has a reader install; our package comes from the tarball. */
async function installAsReadmeSays(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reader-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'package.json'), '{}');
  const [npm = '', ...args] = wordsOf(blockToRun('README.md', 'install'));
  const packages = args.map((arg) => (arg === 'express-mcp-auth' ? project.tarball : arg));
  await run(npm, [...packages, '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
  return folder;
}

test('README from npm install to a tool call after a login, without a clone', async () => {
  const folder = await installAsReadmeSays();
  const config = codeBlocksOf('README.md').find(({ marker }) => marker === 'samples/dev-issuer/config.yaml');
  const port = `${await freePort()}`;
  await writeFile(join(folder, 'config.yaml'), config?.code.replaceAll('3000', port) ?? '');
  const [npx = '', ...args] = wordsOf(blockToRun('README.md', 'start'));
  // `npx` passes no SIGTERM on, so the test starts what it starts.
  expect([npx, args[0]]).toEqual(['npx', 'express-mcp-auth']);
  const program = startProgram(
    join(folder, 'node_modules/.bin/express-mcp-auth'),
    [...args.slice(1), '--dev-issuer-port', '0'],
    { cwd: folder },
  );
  onTestFinished(async () => void (await program.stop()));
  await program.says(/Listening on/);
  const { callTool, close } = await logIn('v1', `http://localhost:${port}/mcp`, () => ({}));
  onTestFinished(close);
  expect(await callTool('echo', { message: 'hello' })).toMatchObject({ content: [{ text: 'Echo: hello' }] });
}, 120_000);
