import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { blockToRun, codeBlocksOf } from '../support/code-blocks.js';
import { installPackedProject, type PackedProject, run } from '../support/packed-project.js';

let project: PackedProject;
beforeAll(async () => {
  project = await installPackedProject();
}, 60_000);
afterAll(() => project.remove());

/** Runs a command of docs/testing.md in the project. */
async function runBlock(command: string, ...further: string[]): Promise<string> {
  const [program = '', ...args] = command.trim().split(' ');
  const { stdout } = await run(program, [...args, ...further], { cwd: project.folder });
  return stdout;
}

test('the two files of docs/testing.md pass as they are pasted', async () => {
  for (const name of ['server.test.ts', 'server.ts']) {
    const block = codeBlocksOf('docs/testing.md').find(({ marker }) => marker === `samples/test-suite/${name}`);
    await writeFile(join(project.folder, name), block?.code ?? '');
  }
  await runBlock(blockToRun('docs/testing.md', 'install'), '--prefer-offline', '--no-audit', '--no-fund');
  expect(await runBlock(blockToRun('docs/testing.md', 'start'))).toMatch(/pass 2\n.*fail 0\n/s);
}, 120_000);
