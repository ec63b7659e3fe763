import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../fixtures/promoted-bytes.mjs', import.meta.url));

/** Bytes. Node 20 itself moves 300 for each request to the old part of the heap, and Node 22 and later about 20. */
const MAX = process.versions.node.startsWith('20.') ? 2_000 : 500;

async function promotedBytes(kind: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, kind], { timeout: 50_000 });
  expect(stdout).toMatch(/^\d+\n$/);
  return Number(stdout);
}

// V8 keeps what was in an old table of a Map or Set until the next full collection. With such tables it was 2,000 and 1,700 bytes for each
// request to a remote and a stdio server (Node 24), and 4,000 and 3,000 (Node 20). The first row shows what is not ours.
test.each(['nothing', 'remote', 'stdio', 'several'])(
  'requests to a backend leave memory with their answers: %s',
  async (kind) => {
    expect(await promotedBytes(kind)).toBeLessThan(MAX);
  },
);
