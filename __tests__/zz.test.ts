import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { showConfig } from '../src/gateway/schema/show-config.js';
import { codeBlocksOf, PAGES } from './support/code-blocks.js';

test('x', () => {
  for (const b of codeBlocksOf('docs/command.md') as any[]) {
    if (!/binds|mcp:/.test(JSON.stringify(b))) continue;
    const t = b.code ?? b.text ?? b.content;
    if (typeof t !== 'string') {
      console.log(Object.keys(b));
      return;
    }
    try {
      const out = showConfig(t);
      if (/hidden/.test(out)) console.log(out);
    } catch (e) {
      console.log('ERR', String(e).slice(0, 80));
    }
  }
});
