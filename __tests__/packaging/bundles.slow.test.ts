import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../support/packed-project.js';
import { ROOT } from '../support/program.js';

/** Calls functions that need files or packages of their own, and prints what they throw. */
const PROGRAM = `
import { mcpAuth, mcpAuthorization } from '${ROOT}dist/index.js';
import { mcpAdmin } from '${ROOT}dist/admin/index.js';
import { createTestIssuer } from '${ROOT}dist/testing/index.js';
const calls = {
  mcpAuth: () => mcpAuth(createTestIssuer().policy({ resource: 'http://localhost/mcp' })),
  mcpAuthorization: () => mcpAuthorization({ rules: ['true'] }),
  mcpAdmin: () => mcpAdmin({ authorize: 'loopback', backends: {} }),
  telemetry: () => import('${ROOT}dist/telemetry/opentelemetry/index.js'),
};
(async () => {
  const outcomes = {};
  for (const [name, call] of Object.entries(calls))
    outcomes[name] = await Promise.resolve().then(call).then(() => 'works', (error) => error.message);
  console.log(JSON.stringify(outcomes));
})();
`;

const REMEDY =
  'If this program is bundled, leave express-mcp-auth out of the bundle and install it beside it: see "Bundlers" in docs/commonjs.md.';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Bundles the program as esbuild does: CommonJS has no `import.meta`. Returns what it prints. */
async function outcomesOf(format: 'es' | 'cjs', name: string): Promise<Record<string, string>> {
  const bundle = await rolldown({
    input: 'program',
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? id : undefined),
        load: (id) => (id === 'program' ? PROGRAM : undefined),
      },
    ],
    ...(format === 'cjs' && { transform: { define: { 'import.meta.url': 'undefined' } } }),
  });
  const file = join(folder, name);
  await bundle.write({ file, format, codeSplitting: false } as never);
  const { stdout } = await run(process.execPath, ['--stack-trace-limit=0', file]);
  return JSON.parse(stdout);
}

const FORMATS = [
  ['es', 'program.mjs'],
  ['cjs', 'program.cjs'],
] as const;

test.each(FORMATS)(
  'a bundle (%s) without node_modules says which functions need the package outside of it',
  async (...row) => {
    expect(await outcomesOf(...row)).toEqual({
      mcpAuth: 'works',
      mcpAuthorization: `a rule in CEL needs the package @marcbachmann/cel-js/evaluator: npm install express-mcp-auth. ${REMEDY}`,
      mcpAdmin: `mcpAdmin() cannot read the files of its page: npm install express-mcp-auth. ${REMEDY}`,
      telemetry: `express-mcp-auth/telemetry needs the package @opentelemetry/api: npm install @opentelemetry/api. ${REMEDY}`,
    });
  },
);

test.each(FORMATS)('a bundle (%s) finds the packages of rules and of traces beside it', async (...row) => {
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules')).catch(() => undefined);
  expect(await outcomesOf(...row)).toMatchObject({ mcpAuthorization: 'works', telemetry: 'works' });
});
