import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startNode } from '../support/program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');
const FENCED = /<!-- (samples\/[\w./-]+) -->\n```\w+\n([\s\S]*?)```/g;
const quoted = [...readme.matchAll(FENCED)].map(([, file = '', code = '']) => [file, code] as const);

test.each(quoted)('the code of %s is that of the file', (file, code) => {
  expect(code).toBe(readFileSync(root + file, 'utf8'));
});

test('docs/testing.md quotes the configuration that our own suites under Jest run with', () => {
  const page = readFileSync(`${root}docs/testing.md`, 'utf8');
  const [, file = '', code] = /<!-- ([\w./-]+) -->\n```js\n([\s\S]*?)```/.exec(page) ?? [];
  expect(code).toBe(readFileSync(root + file, 'utf8'));
});

test('every block of code in a programming language is quoted from a sample', () => {
  expect(readme.match(/```(?:js|ts)\n/g)).toHaveLength(quoted.length);
});

test('the first screen has a whole program and its two answers', () => {
  const screen = readme.split('\n').slice(0, 60).join('\n');
  expect(screen).toContain('samples/stdio-backend.ts -->');
  expect(screen).toContain('$ curl http://localhost:3000/.well-known');
});

describe('the two answers of the first program', () => {
  const [, block = ''] = /<!-- answers of samples\/stdio-backend.ts -->\n```console\n([\s\S]*?)```/.exec(readme) ?? [];
  const [refusal = '', metadata = ''] = block.split('\n\n$ ');

  async function start(): Promise<string> {
    const program = startNode(['build/samples/stdio-backend.js'], { env: { PORT: '0' } });
    onTestFinished(async () => void (await program.stop()));
    const [, port] = await program.says(/port: (\d+)/);
    return `http://127.0.0.1:${port}`;
  }

  test('are given', async () => {
    const origin = await start();
    const refused = await fetch(`${origin}/mcp`, { method: 'POST' });
    const header = (name: string) => `${name}: ${refused.headers.get(name)}`;
    expect(refusal).toBe(
      [
        '$ curl -i -X POST http://localhost:3000/mcp',
        'HTTP/1.1 401 Unauthorized',
        header('www-authenticate'),
        header('content-type'),
        '',
        await refused.text(),
      ].join('\n'),
    );
    const answer = await fetch(`${origin}/.well-known/oauth-protected-resource/mcp`);
    expect(metadata.trim()).toBe(
      `curl http://localhost:3000/.well-known/oauth-protected-resource/mcp\n${await answer.text()}`,
    );
  });
});
