import { expect, test } from 'vitest';
import { blockToRun } from '../support/code-blocks.js';
import { startFaultyServer } from '../support/faulty-server.js';
import { CLI, startNode } from '../support/program.js';

/** The page's server: its resource has a closing slash too many, and its authorization server does not announce PKCE. */
async function startServerOfThePage() {
  return await startFaultyServer({
    metadata: () => ({ code_challenge_methods_supported: undefined }),
    policy: ({ resource }) => ({
      audiences: [resource],
      resourceMetadata: { resource: `${resource}/`, scopesSupported: ['mcp:call', 'files:write'] },
    }),
  });
}

test('the doctor prints the lines of docs/doctor.md, in this order', async () => {
  const { url, issuer } = await startServerOfThePage();
  const doctor = startNode([CLI, 'doctor', url]);
  expect(await doctor.ended).toBe(1);
  const [command = '', ...lines] = blockToRun('docs/doctor.md', 'findings').trimEnd().split('\n');
  expect(command).toBe('$ npx express-mcp-auth doctor https://mcp.example.com/mcp');
  const printed = doctor.stdout
    .replaceAll(new URL(url).origin, 'https://mcp.example.com')
    .replaceAll(issuer, 'https://auth.example.com')
    .split('\n');
  expect(printed.filter((line) => lines.includes(line))).toEqual(lines);
});
