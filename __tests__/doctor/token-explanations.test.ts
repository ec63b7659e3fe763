import { expect, test } from 'vitest';
import { EXPLANATIONS } from '../../src/doctor/token-explanations.js';
import { TOKEN_ROWS } from '../support/token-rows.js';

/** The only code without a row: HTTP clients do not send such a token. */
const UNSENDABLE = 'malformed_header';

test('the doctor explains every reason why mcpAuth() refuses a token of the table, and each explanation has a row', () => {
  const verdicts = TOKEN_ROWS.flatMap(([, rows]) => rows.map(([, , , verdict]) => verdict));
  const codes = new Set([...verdicts.filter((verdict) => verdict !== 'accepted'), UNSENDABLE]);
  expect(Object.keys(EXPLANATIONS).toSorted()).toEqual([...codes].toSorted());
});
