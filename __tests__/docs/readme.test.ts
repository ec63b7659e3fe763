import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.js';

const lines = readFileSync(`${ROOT}README.md`, 'utf8').trimEnd().split('\n');

test('README has at most 200 lines', () => {
  expect(lines.length).toBeLessThanOrEqual(200);
});

test('the first 60 lines have the lines that protect a server, and their two answers', () => {
  const screen = lines.slice(0, 60).join('\n');
  expect(screen).toContain("app.use('/mcp', mcpAuth(policy));");
  expect(screen).toContain('app.use(protectedResourceMetadata(policy));');
  expect(screen).toContain('$ curl http://localhost:3000/.well-known');
});
