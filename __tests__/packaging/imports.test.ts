import { expect, test } from 'vitest';
import { ROOT, startNode } from '../support/program.js';

/** The packages that an import of this package loads at once. Packages for cryptography are loaded with the policy or the first token. */
const AT_ONCE = ['cors', 'ecdsa-sig-formatter', 'ipaddr.js', 'leven', 'lru-cache', 'negotiator'];

async function modulesOf(entry: string): Promise<string[]> {
  const record = `${ROOT}__tests__/fixtures/record-imports.mjs`;
  const program = startNode(['--import', record, '--input-type=module', '--eval', `import ${JSON.stringify(entry)}`]);
  expect(await program.ended, program.stderr).toBe(0);
  return program.stdout.split('\n').filter((url) => url.startsWith('file:') && !url.includes('/__tests__/'));
}

function packageOf(url: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
}

test.each([
  ['express-mcp-auth', AT_ONCE],
  ['express-mcp-auth/redis', AT_ONCE],
  ['express-mcp-auth/telemetry', [...AT_ONCE, '@opentelemetry/api']],
  ['express-mcp-auth/testing', AT_ONCE],
  ['express-mcp-auth/admin', [...AT_ONCE, 'undici']],
  ['express-mcp-auth/express', []],
])('import %s loads few packages, and no cryptography', async (entry, packages) => {
  const modules = await modulesOf(entry);
  const loaded = new Set(modules.map(packageOf).filter((name) => name !== undefined));
  expect([...loaded].filter((name) => !packages.includes(name))).toEqual([]);
  expect(new Set(modules.filter((url) => packageOf(url) === undefined)).size).toBeLessThan(6);
});
