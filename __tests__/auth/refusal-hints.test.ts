import { expect, test } from 'vitest';
import { createAppWithKeys, makeKey } from '../support/api-keys.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const { key, entry } = makeKey();
const LOCATION = { authorizationLocation: { header: { name: 'X-Token' } } };
const PREFIXED = { authorizationLocation: { header: { name: 'X-Token', prefix: 'Token ' } } };
const VERIFIERS = { verifiers: [async () => undefined] };

type Row = [
  name: string,
  apiKeys: unknown,
  policy: object,
  headers: Record<string, string>,
  text: string,
  hint: string,
];

const rows: Row[] = [
  [
    'a key where the policy has none',
    undefined,
    {},
    { authorization: `Bearer ${key}` },
    'The API key is not known here',
    'the policy has no apiKeys',
  ],
  [
    'x-api-key where the policy has none',
    undefined,
    {},
    { 'x-api-key': key },
    'JWT token required',
    'x-api-key is read only if the policy has apiKeys',
  ],
  [
    'a key without a scheme',
    [entry],
    {},
    { authorization: key },
    'Access token or API key required',
    'send \\"Authorization: Bearer\\" and the token',
  ],
  [
    'another scheme',
    undefined,
    VERIFIERS,
    { authorization: 'Token abc' },
    'JWT token required',
    'the Authorization header has no scheme that is accepted here',
  ],
  [
    'Authorization where another header is read',
    undefined,
    LOCATION,
    { authorization: 'Bearer abc' },
    'JWT token required',
    'Authorization is not read: the policy has authorizationLocation',
  ],
  [
    'a scheme in the other header',
    undefined,
    LOCATION,
    { 'x-token': 'Bearer a.b.c' },
    'The header x-token must be the token alone',
    '{}',
  ],
  [
    'no prefix in the other header',
    undefined,
    PREFIXED,
    { 'x-token': 'a.b.c' },
    'The header x-token must be "Token " and one token',
    '{}',
  ],
];

test.each(rows)(
  '%s: the answer says what is required, and the log why',
  async (_name, apiKeys, policy, headers, text, hint) => {
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    const logger = { debug: log, info: log, warn: log, error: log };
    const { body } = await createAppWithKeys(apiKeys, { ...policy, logger }).withHeaders(headers);
    expect(body.error_description).toBe(text);
    expect(lines.join('\n')).toContain(hint);
    expect(lines.join('\n')).not.toContain(key);
  },
);

test('an error in the option "extra" names the option', async () => {
  const { lines, logger } = createRecordingLogger();
  const extra = () => {
    throw new Error('no such user');
  };
  const { status } = await createAppWithKeys([entry], { extra, logger }).withHeaders({ 'x-api-key': key });
  expect(status).toBe(500);
  expect(lines.join('\n')).toContain('option "extra" of mcpAuth() threw an error: no such user');
});
