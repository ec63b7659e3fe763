import { expect, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe, type Probe } from '../../src/doctor/probe.js';
import { type FaultyServer, startFaultyServer } from '../support/faulty-server.js';
import { createSigner } from '../support/signer.js';

const now = Math.floor(Date.now() / 1000);

function claims({ issuer, url }: FaultyServer, changes: object = {}) {
  return { iss: issuer, aud: url, sub: 'alice', scope: 'mcp:call', iat: now, exp: now + 3600, ...changes };
}

const tokens: [what: string, make: (server: FaultyServer) => string, ...expected: string[]][] = [
  ['a good token', (server) => server.signer.sign(claims(server))],
  [
    'one at the edges of the tolerance',
    (server) => server.signer.sign(claims(server, { exp: Date.now() / 1000 - 10, nbf: Date.now() / 1000 + 20 })),
  ],
  [
    'an expired one',
    (server) => server.signer.sign(claims(server, { exp: now - 200 })),
    'token: refused with 401: The token has expired',
    'token time: expired 3 minutes ago; the clock tolerance is',
  ],
  [
    'one that is valid later',
    (server) => server.signer.sign(claims(server, { nbf: now + 1000 })),
    'token: refused with 401: The token is not valid yet',
    'token time: valid in 16 minutes; the clock tolerance is',
  ],
  [
    'one that never expires',
    (server) => server.signer.sign(claims(server, { exp: undefined })),
    'token: refused with 401: The token lacks a required claim',
    'token exp: missing',
  ],
  [
    'one for another audience',
    (server) => server.signer.sign(claims(server, { aud: 'account' })),
    'token: refused with 401: The token is meant for another audience',
    'token aud: "account", expected http',
  ],
  [
    'one of another issuer',
    (server) => server.signer.sign(claims(server, { iss: `${server.issuer}/` })),
    'token: refused with 401: The issuer of the token is not accepted here',
    'token iss: "http',
  ],
  [
    'a forged one',
    (server) => createSigner({ kid: server.signer.kid }).sign(claims(server)),
    'token: refused with 401: The token has an invalid signature',
    'token signature: does not match the key that the token names',
  ],
  [
    'one with an unknown key',
    (server) => createSigner({ kid: 'old' }).sign(claims(server)),
    'token: refused with 401: The token is signed with an unknown key',
    'token signature: no key "old" in the key set',
  ],
  [
    'one that lacks a scope',
    (server) => server.signer.sign(claims(server, { scope: 'openid' })),
    'token: refused with 403: The token lacks a required scope',
    'token scope: lacks mcp:call',
  ],
  ...(
    [
      ['aud', 5, 'token aud: 5, neither a string nor a list of strings'],
      ['aud', [5], 'token aud: [5], neither a string nor a list of strings'],
      ['exp', 'soon', 'token time: exp is "soon", not a number of seconds'],
      ['nbf', '2000000000', 'token time: nbf is "2000000000", not a number of seconds'],
      ['iat', null, 'token time: iat is null, not a number of seconds'],
      ['scp', { a: 1 }, 'token scope: scp is {"a":1}, neither a string nor a list of strings'],
      ['sub', 5, 'token sub: 5, not a string'],
      ['azp', ['a'], 'token azp: ["a"], not a string'],
    ] as const
  ).map(([name, value, expected]): (typeof tokens)[number] => [
    `one whose ${name} is ${JSON.stringify(value)}`,
    (server) => server.signer.sign(claims(server, { [name]: value })),
    'token: refused with 401: The token has a claim of the wrong type',
    expected,
  ]),
  [
    'one that never ends',
    (server) => server.signer.sign(JSON.stringify(claims(server, { exp: 0 })).replace('"exp":0', '"exp":1e400')),
    'token: refused with 401: The token has a claim of the wrong type',
    'token time: exp is Infinity, not a number of seconds',
  ],
  [
    'one whose type is not a string',
    (server) => server.signer.sign(claims(server), { typ: { toString: 5 } }),
    'token: refused with 401: The token is not an access token',
    'token kind: not that of an access token: typ is {"toString":5} in its header',
  ],
  [
    'an ID token',
    (server) => server.signer.sign(claims(server, { nonce: 'n' })),
    'token: refused with 401: The token is not an access token',
    'token kind: not that of an access token: it has nonce',
  ],
  [
    'a refresh token of Keycloak',
    (server) => server.signer.sign(claims(server, { typ: 'Refresh' })),
    'token: refused with 401: The token is not an access token',
    'token kind: not that of an access token: it has typ "Refresh"',
  ],
  [
    'one with an extension',
    (server) => server.signer.sign(claims(server), { crit: ['x'] }),
    'token: refused with 401: The token requires an extension (crit) that is not supported here',
    'token form: crit or b64 in the header',
  ],
  [
    'an unsigned one',
    (server) => `${server.signer.sign(claims(server), { alg: 'none' }).replace(/[^.]*$/, '')}`,
    'token: refused with 401: The token is signed with an algorithm that is not accepted here',
    'token signature: none is not accepted',
  ],
  [
    'one bound to a key',
    (server) => server.signer.sign(claims(server, { cnf: { jkt: 'x' } })),
    'token: refused with 401: The token is bound to a key or certificate, and must not be presented as a bearer token',
    'token binding: bound to a key or a certificate',
  ],
  [
    'one with many faults',
    (server) => server.signer.sign(claims(server, { iss: 'x', exp: now - 100, aud: 'x', sub: 5, scope: 'openid' })),
    'token: refused with 401: The issuer of the token is not accepted here',
    'token iss: "x", expected http',
    'token time: expired',
    'token aud: "x", expected http',
    'token sub: 5, not a string',
    'token scope: lacks mcp:call',
  ],
  [
    'an opaque one',
    () => '2YotnFZFEjr1zCsicMWpAA',
    'token: refused with 401: The token is opaque, not a JWT; ask the authorization server for a JWT access token',
    'token form: opaque, not a JWT',
  ],
  [
    'an encrypted one',
    () => 'a.b.c.d.e',
    'token: refused with 401: The token is encrypted (JWE), not a signed JWT; ask the authorization server for a signed one',
    'token form: encrypted (JWE)',
  ],
  [
    'three words',
    () => 'one.two.three',
    'token: refused with 401: The token is not a well-formed JWT',
    'token form: three parts that are not a JWT',
  ],
];

test.each(tokens)('%s', async (_what, make, ...expected) => {
  const server = await startFaultyServer();
  const token = make(server);
  const findings = await server.walk(token);
  const bad = findings.filter(({ status }) => status !== 'ok').map(({ step, seen }) => `${step}: ${seen}`);
  expect(bad).toEqual(expected.map((start) => expect.stringMatching(new RegExp(`^${literal(start)}`))));
  expect(JSON.stringify(findings)).not.toContain(token);
});

test.each(['a\nb', 'a b', 'ä', ''])('%j is neither sent nor repeated', async (token) => {
  const server = await startFaultyServer();
  const findings = await server.walk(token);
  expect(findings.at(-1)).toMatchObject({ step: 'token form', seen: 'characters that a token cannot have' });
  expect(findings.filter(({ status }) => status !== 'ok')).toHaveLength(1);
});

test.each<[what: string, senderConstraint: object, changes: object, ...expected: string[]]>([
  [
    'a plain token, where the metadata requires DPoP',
    { dpop: { required: true } },
    {},
    'token binding: not bound to a key',
  ],
  [
    'a token bound to a certificate, where the metadata takes those',
    { mtls: { getCertificate: () => undefined } },
    { cnf: { 'x5t#S256': 'x' } },
    'token binding: needs a client certificate, which the doctor does not have',
  ],
])('%s', async (_what, senderConstraint, changes, expected) => {
  const server = await startFaultyServer({ policy: () => ({ senderConstraint }) });
  const findings = await server.walk(server.signer.sign(claims(server, changes)));
  const explained = findings.filter(({ status, code }) => status === 'fault' && code !== undefined);
  expect(explained.map(({ step, seen }) => `${step}: ${seen}`)).toEqual([expected]);
});

test('explains the claims even if the metadata names an issuer without a key set', async () => {
  const server = await startFaultyServer({
    policy: ({ issuer, resource }) => ({
      issuers: [{ issuer, jwks: { url: `${issuer}/jwks` } }],
      issuer: undefined,
      jwks: undefined,
      resourceMetadata: { resource, authorizationServers: ['no URL'] },
    }),
  });
  const findings = await server.walk(server.signer.sign(claims(server, { iss: 'no URL', exp: now - 100 })));
  expect(findings.filter(({ code }) => code !== undefined)).toMatchObject([
    { step: 'token signature', status: 'warning', seen: 'the key set cannot be used' },
    // The server says that it does not accept the issuer, and nothing about the rest.
    { step: 'token time', status: 'warning', code: 'token_expired' },
  ]);
});

test('does not explain the token if the metadata names no issuer', async () => {
  const server = await startFaultyServer({
    policy: ({ resource }) => ({ resourceMetadata: { resource, authorizationServers: [] } }),
  });
  const findings = await server.walk(server.signer.sign(claims(server)));
  expect(findings.at(-1)).toMatchObject({ step: 'token claims', status: 'warning' });
});

test.each([[{ name: 'Cf-Access-Jwt-Assertion' }], [{ name: 'X-Token', prefix: 'Key ' }]])(
  'with a file, sends the token in its authorizationLocation %j',
  async (header) => {
    const server = await startFaultyServer({ policy: () => ({ authorizationLocation: { header } }) });
    const findings = await server.walk(server.signer.sign(claims(server)), 'file');
    expect(findings.find(({ step }) => step === 'token')).toMatchObject({ status: 'ok', seen: 'accepted (200)' });
  },
);

test('does not send a token where others could read it', async () => {
  const server = await startFaultyServer();
  const seen: string[] = [];
  const probeFor = createProbe(server.url);
  const probe: Probe = async (url, init) => {
    seen.push(String(new Headers(init?.headers).get('authorization')));
    return probeFor(url.replace('server.example', '127.0.0.1'), init);
  };
  const url = server.url.replace('127.0.0.1', 'server.example');
  const steps: string[] = [];
  for await (const { step, seen: what } of diagnose({ url, token: server.signer.sign(claims(server)) }, probe)) {
    steps.push(`${step}: ${what}`);
  }
  expect(steps).toContain('transport: plain http');
  expect(steps).toContain('token: not sent, since others could read it over plain http');
  expect(new Set(seen)).toEqual(new Set(['null']));
});

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
