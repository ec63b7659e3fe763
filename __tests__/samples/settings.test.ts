import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.js';

const samples = readdirSync(`${ROOT}samples`, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.c?[jt]s$/.test(name))
  .map((name) => [name, readFileSync(`${ROOT}samples/${name}`, 'utf8')] as const)
  .filter(([, text]) => text.includes('.listen(port'));

test('the samples with a server are found', () => {
  expect(samples.map(([name]) => name)).toEqual(expect.arrayContaining(['commonjs.cjs', 'scopes.ts', 'tenants.ts']));
});

test.each(samples)('samples/%s listens on PORT, names its resource by it, and logs', (_name, text) => {
  expect(text).toContain('const port = Number(process.env.PORT ?? 3000);');
  expect(text).toMatch(/resource: `http:\/\/localhost:\$\{port\}\/|origin = `http:\/\/localhost:\$\{port\}`/);
  expect(text).toMatch(/(?:policy(?:: McpAuthOptions)? = |mcpAuth\()\{[^;]*\blogger: console\b/);
});
