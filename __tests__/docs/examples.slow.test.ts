import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../support/packed-project.js';
import { ROOT } from '../support/program.js';
import { examplesIn, publicNames } from '../support/public-docs.js';

const ENTRIES = [
  'index.ts',
  'admin/index.ts',
  'store/redis.ts',
  'telemetry/opentelemetry/index.ts',
  'testing/index.ts',
];
const examples = ENTRIES.flatMap((entry) =>
  publicNames(entry).flatMap(({ name, comment }) => examplesIn(comment).map((code) => [name, code] as const)),
);

/** Beneath the repository, so that packages resolve as they do for a user; the package itself is its source. */
let folder: string;
beforeAll(async () => {
  await mkdir(`${ROOT}build`, { recursive: true });
  folder = await mkdtemp(`${ROOT}build/examples-`);
  const paths = {
    'express-mcp-auth': ['../../src/index.ts'],
    'express-mcp-auth/redis': ['../../src/store/redis.ts'],
    'express-mcp-auth/admin': ['../../src/admin/index.ts'],
    'express-mcp-auth/telemetry': ['../../src/telemetry/opentelemetry/index.ts'],
    'express-mcp-auth/testing': ['../../src/testing/index.ts'],
  };
  const config = { extends: '../../tsconfig.base.json', compilerOptions: { noEmit: true, paths }, include: ['*.ts'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
});
afterAll(() => rm(folder, { recursive: true }));

/** The complaints of the compiler, one a line; empty where all programs compile. */
async function complaints(programs: readonly (readonly [name: string, code: string])[]): Promise<string> {
  await Promise.all(programs.map(([name, code]) => writeFile(join(folder, `${name}.ts`), code)));
  const compiling = run(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, '-p', folder], { cwd: folder });
  return compiling.then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

test('the examples in TSDoc compile', async () => {
  expect(examples.map(([name]) => name)).toContain('createTestIssuer');
  expect(await complaints(examples)).toBe('');
});

test('an example with an unknown option does not compile', async () => {
  const code = `import { mcpCors } from 'express-mcp-auth';\nmcpCors({ origins: [] });\n`;
  expect(await complaints([['broken', code]])).toContain('broken.ts(2,11): error TS2353');
});
