import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ADMIN_ERROR_CODES } from '../../src/admin/admin-error.js';
import { OUTAGES, REFUSALS } from '../../src/core/errors.js';
import { UPSTREAM_TOKEN_ERRORS } from '../../src/core/upstream-token-error.js';
import { BRIDGE_ERRORS } from '../../src/messages/bridge-error.js';
import { MESSAGE_REFUSALS } from '../../src/messages/message-refusal.js';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const headings = [...page.matchAll(/^### `(\w+)`$/gm)].map(([, code]) => code);
const codes = Object.keys({
  invalid_configuration: 0,
  ...REFUSALS,
  ...OUTAGES,
  ...UPSTREAM_TOKEN_ERRORS,
  ...BRIDGE_ERRORS,
  ...MESSAGE_REFUSALS,
});

test('every code has one heading, and every heading is a code', () => {
  expect(headings.toSorted()).toEqual(codes.toSorted());
});

test.each(codes)('%s says what it means, its cause and what to do', (code) => {
  const [, entry = ''] = new RegExp(`^### \`${code}\`$([\\s\\S]*?)(?=^#|$(?![\\s\\S]))`, 'm').exec(page) ?? [];
  for (const part of ['**Means:**', '**Cause:**', '**Fix:**']) expect(entry).toContain(part);
});

test('every code of the admin page has one row that says what to do', () => {
  const [, section = ''] = page.split('\n## Refused: the admin page\n');
  const [, table = ''] = section.split('|---|---|\n');
  const rows = [...table.matchAll(/^\| (`.*?) \| \S/gm)].flatMap(([, names = '']) => names.match(/\w+/g) ?? []);
  expect(rows.toSorted()).toEqual([...ADMIN_ERROR_CODES, 'foreign_host'].toSorted());
});
