import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.js';

const lines = readFileSync(`${ROOT}README.md`, 'utf8').trimEnd().split('\n');

test('README has at most 200 lines', () => {
  expect(lines.length).toBeLessThanOrEqual(200);
});

test('reads well without its pictures, which the package does not contain', () => {
  const pictures = [...lines.join('\n').matchAll(/([^\n]*)\n\n<img src="[^"]*" alt="([^"]*)"/g)];
  expect(pictures.length).toBe(lines.join('\n').split(/<img |!\[/).length - 1);
  for (const [, before, alt] of pictures) {
    expect(before, 'the text before does not announce it').toMatch(/\.$/);
    expect(alt, 'the text in place of it is a sentence').toMatch(/^[A-Z].*\.$/);
  }
});

test('the lines to add say that the /mcp route comes after them', () => {
  const order = ["app.use('/mcp', mcpAuth(policy));", '// Your /mcp route goes here.', '```'];
  const first = lines.findIndex((line) => line.startsWith(order[0] ?? ''));
  const places = order.map((text) => lines.findIndex((line, index) => index >= first && line.startsWith(text)));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(lines.join('\n')).toContain('**before your `/mcp` route**');
});

test('the first 60 lines have the lines that protect a server, and their two answers', () => {
  const screen = lines.slice(0, 60).join('\n');
  expect(screen).toContain("app.use('/mcp', mcpAuth(policy));");
  expect(screen).toContain('app.use(protectedResourceMetadata(policy));');
  expect(screen).toContain('$ curl http://localhost:3000/.well-known');
});
