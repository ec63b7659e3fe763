import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPackedProject, type PackedProject, run } from '../support/packed-project.js';
import { ROOT } from '../support/program.js';

const SOURCE = 'typed.ts';
/** The `type` of the nearest package.json: the program is CommonJS or an ES module. */
const PACKAGE_TYPES = ['commonjs', 'module'] as const;

let project: PackedProject;

beforeAll(async () => {
  const { devDependencies } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
  const types = Object.fromEntries(['@types/express', '@types/node'].map((name) => [name, devDependencies[name]]));
  project = await installPackedProject({ ...types, typescript: '~5.9' });
  const text = await readFile(join(project.folder, SOURCE), 'utf8');
  for (const type of PACKAGE_TYPES) {
    const folder = join(project.folder, type);
    await mkdir(folder);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type }));
    await writeFile(join(folder, SOURCE), text);
  }
}, 120_000);

afterAll(() => project.remove());

const NODE_MODES = ['node16', 'node18', 'node20', 'nodenext'];
const COMMONJS = [['commonjs'], ...NODE_MODES.map((mode) => [mode])];
const MODULE = [...NODE_MODES.map((mode) => [mode]), ['esnext', '--moduleResolution', 'bundler'], ['preserve']];
const ROWS = [
  ...COMMONJS.map((module) => ({ type: 'commonjs', module })),
  ...MODULE.map((module) => ({ type: 'module', module })),
] as const;

/** Without `skipLibCheck`, so that the declarations of every package are checked. */
const OPTIONS = ['--strict', '--target', 'es2022', '--types', 'node', '--esModuleInterop', '--outDir', 'out'];

describe.each([
  ['5.9', () => `${project.folder}/node_modules/typescript/bin/tsc`],
  ['7', () => `${ROOT}node_modules/typescript/bin/tsc`],
])('TypeScript %s', (version, tsc) => {
  test('is the expected version', async () => {
    const { stdout } = await run(process.execPath, [tsc(), '--version']);
    expect(stdout).toMatch(`Version ${version}.`);
  });

  test.each(ROWS)(
    'compiles a program of type $type with module $module, and the program runs',
    async (row) => {
      const cwd = join(project.folder, row.type);
      await run(process.execPath, [tsc(), ...OPTIONS, '--module', ...row.module, SOURCE], { cwd });
      const { stdout } = await run(process.execPath, ['out/typed.js'], { cwd });
      expect(stdout).toBe('issuer\n');
    },
    120_000,
  );

  test('compiles a program for ES2020, whose library has no ErrorOptions', async () => {
    const options = [...OPTIONS, '--target', 'es2020', '--module', 'nodenext', '--noEmit', SOURCE];
    await run(process.execPath, [tsc(), ...options], { cwd: join(project.folder, 'module') });
  });
});
