import { resolve } from 'node:path';
import { good } from './good-policy.js';
import type { Refusal } from './refused-issuer-options.js';

const sha256 = 'a'.repeat(64);
const KEY_FIX =
  'Write [{ "sha256": "…", "subject": "…" }]: the command "express-mcp-auth key create" prints a key and its entry.';
const PLACE_FIX = `Write { file: "…" } for a JSON file with the list. ${KEY_FIX}`;

const key = (name: string, apiKeys: unknown, reason: string): Refusal => [
  name,
  { ...good, apiKeys },
  `option "apiKeys" must be a list of API keys (${reason}). ${KEY_FIX}`,
];

/** Wrong values of the option `apiKeys`. */
export const apiKeyRefusals: Refusal[] = [
  ...['emak_secret', true, null, new Map()].map(
    (apiKeys): Refusal => [
      `API keys as ${typeof apiKeys}`,
      { ...good, apiKeys },
      `option "apiKeys" must be a list of keys, { file }, or a function. ${PLACE_FIX}`,
    ],
  ),
  key(
    'a key in place of its hash',
    [{ sha256: 'emak_secret' }],
    'entry 0: its "sha256" is not 64 hexadecimal digits; the key itself must not be here',
  ),
  key('a key alone', ['emak_secret'], 'entry 0: it is not an object'),
  key(
    'a hash that is too short',
    [{ sha256: 'a'.repeat(63) }],
    'entry 0: its "sha256" is not 64 hexadecimal digits; the key itself must not be here',
  ),
  key(
    'a hash that is there twice',
    [{ sha256 }, { sha256: sha256.toUpperCase() }],
    'entry 1: its "sha256" is there twice',
  ),
  key(
    'a key beside its hash',
    [{ sha256, key: 'emak_secret' }],
    'entry 0: its member "key" is not known; known are sha256, subject, scopes, claims, expires',
  ),
  key(
    'a misspelt member',
    [{ sha256, expiresAt: '2030-01-01' }],
    'entry 0: its member "expiresAt" is not known; known are sha256, subject, scopes, claims, expires',
  ),
  key(
    'a key as the name of a member',
    [{ sha256, emak_0123: 'ci' }],
    'entry 0: it has a member that is not known; known are sha256, subject, scopes, claims, expires',
  ),
  key('a subject that is a number', [{ sha256, subject: 7 }], 'entry 0: its "subject" is no text'),
  key('an empty subject', [{ sha256, subject: '' }], 'entry 0: its "subject" is no text'),
  key('scopes as text', [{ sha256, scopes: 'read write' }], 'entry 0: its "scopes" are not a list of scopes'),
  key('a scope with a space', [{ sha256, scopes: ['read write'] }], 'entry 0: its "scopes" are not a list of scopes'),
  key('claims as a list', [{ sha256, claims: [] }], 'entry 0: its "claims" are not an object'),
  key('claims with a function', [{ sha256, claims: { f: () => 1 } }], 'entry 0: its "claims" are not JSON'),
  ...['iss', 'sub', 'client_id', 'appid', 'scope', 'exp'].map((name) =>
    key(`the claim ${name}`, [{ sha256, claims: { [name]: 'x' } }], `entry 0: its "claims" must not have "${name}"`),
  ),
  ...['tomorrow', '2027-01-31T12:00:00', '2027-13-31', '2027-02-29', '31.01.2027', 1_800_000_000, null].map((expires) =>
    key(
      `expires as ${expires}`,
      [{ sha256, expires }],
      'entry 0: its "expires" is no date such as 2027-01-31 or 2027-01-31T12:00:00Z',
    ),
  ),
  [
    'a file of keys that is missing',
    { ...good, apiKeys: { file: '/nowhere/keys.json' } },
    'option "apiKeys.file" must be a readable file (ENOENT; looked for /nowhere/keys.json), but got "/nowhere/keys.json". Correct the path.',
  ],
  [
    'a file of keys that is a URL',
    { ...good, apiKeys: { url: 'https://a.example' } },
    `option "apiKeys" must be a list of keys, { file }, or a function. ${PLACE_FIX}`,
  ],
  [
    'one entry in place of a list',
    { ...good, apiKeys: { sha256 } },
    `option "apiKeys" must be a list of keys, { file }, or a function. ${PLACE_FIX}`,
  ],
  [
    'a file that is no list of keys',
    { ...good, apiKeys: { file: 'package.json' } },
    `option "apiKeys.file" must be a JSON file with a list of API keys (it is not a list; read ${resolve('package.json')}). ${KEY_FIX}`,
  ],
  [
    'API keys where every token must be bound to a key',
    { ...good, apiKeys: [{ sha256 }], senderConstraint: { dpop: { required: true } } },
    'option "apiKeys" must be left out where senderConstraint.dpop.required is true: an API key is not bound to anything. Remove one of the two.',
  ],
  [
    'API keys where every token must be bound to a certificate',
    {
      ...good,
      apiKeys: [{ sha256, claims: { cnf: { jkt: 'x' } } }],
      senderConstraint: { mtls: { getCertificate: () => undefined, required: true } },
    },
    'option "apiKeys" must be left out where senderConstraint.mtls.required is true: none of these keys is bound to a certificate. Remove one of the two, or bind each key: "claims": { "cnf": { "x5t#S256": "…" } }.',
  ],
];
