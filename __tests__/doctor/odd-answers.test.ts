import { describe, expect, test } from 'vitest';
import { readKeys } from '../../src/auth/keys/verification-key.js';
import type { ReportedFinding } from '../../src/doctor/finding.js';
import {
  answering,
  type Fault,
  goodToken,
  lineOf,
  replyingWhere,
  startFaultyServer,
} from '../support/faulty-server.js';

/** JSON.parse() reads it, and JSON.stringify() would not write it. */
const DEEP = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
const NOT_SHOWN = 'nested too deeply to be shown';

/** A JSON object with one more member. */
const withMember = (object: object, name: string, json: string) =>
  `${JSON.stringify(object).slice(0, -1)},${JSON.stringify(name)}:${json}}`;

async function walk(fault: (server: { url: string; issuer: string }) => Fault): Promise<string[]> {
  const known = { url: '', issuer: '' };
  const server = await startFaultyServer(fault(known));
  Object.assign(known, server);
  const findings: ReportedFinding[] = await server.walk(goodToken(server));
  return findings.map(lineOf);
}

const inResource = (name: string, json: string) =>
  walk((server) => ({
    before: answering(['/.well-known/oauth-protected-resource/mcp'], (_req, res) =>
      res.end(withMember({ resource: server.url, authorization_servers: [server.issuer] }, name, json)),
    ),
  }));
const inServer = (name: string, json: string) =>
  walk((server) => ({
    authorizationServer: (_req, res) =>
      res.end(withMember({ issuer: server.issuer, jwks_uri: `${server.issuer}/jwks` }, name, json)),
  }));

describe('a value that is nested too deeply is a finding, and the walk goes on', () => {
  test.each([
    ['resource', inResource, `✗ resource: resource is ${NOT_SHOWN}, but the address is `],
    ['bearer_methods_supported', inResource, `! bearer methods: bearer_methods_supported is ${NOT_SHOWN}. `],
    ['authorization_servers', inResource, `✗ authorization servers: authorization_servers is ${NOT_SHOWN}, not a `],
    ['issuer', inServer, `✗ issuer: issuer is ${NOT_SHOWN}, but the authorization server is `],
    ['token_endpoint', inServer, `✗ endpoints: authorization_endpoint is missing, token_endpoint is ${NOT_SHOWN}. `],
    ['code_challenge_methods_supported', inServer, `✗ PKCE: code_challenge_methods_supported is ${NOT_SHOWN}. `],
    [
      'client_id_metadata_document_supported',
      inServer,
      `! client documents: client_id_metadata_document_supported is `,
    ],
  ])('%s', async (name, walkWith, line) => {
    const lines = await walkWith(name, DEEP);
    expect(lines).toContainEqual(expect.stringContaining(line));
    expect(lines.at(-1)).toContain('token ');
  });

  test('a JSON-RPC error', async () => {
    const body = `{"jsonrpc":"2.0","error":{"code":1,"message":${DEEP}}}`;
    const lines = await walk(() => ({ before: replyingWhere({ status: 200, body }, () => true) }));
    expect(lines[0]).toContain(`! answer without a token: 200 with the JSON-RPC error 1 ${NOT_SHOWN}. `);
  });

  test('key_ops: only this key is skipped', async () => {
    const { skipped } = await readKeys([{ kty: 'EC', crv: 'P-256', key_ops: JSON.parse(DEEP) }, 5]);
    expect(skipped.map(({ why }) => why)).toEqual(['is not for verifying (key_ops)', 'is not an object']);
  });
});

test.each([
  ['"https://auth.example"', 'authorization_servers is "https://auth.example", not a list of URLs'],
  ['[]', 'authorization_servers is empty'],
  ['{"a":1}', 'authorization_servers is {"a":1}, not a list of URLs'],
])('says what stands in place of a list of authorization servers: %s', async (json, seen) => {
  expect(await inResource('authorization_servers', json)).toContainEqual(
    expect.stringContaining(`✗ authorization servers: ${seen}. `),
  );
});

const AT_AS = '/.well-known/oauth-authorization-server';
const MOVED = 'Serve the document at this URL itself: the doctor follows no redirect, and not every client does.';
/** One byte more than the doctor reads: what it has read is a whole document. */
const BIG = `{"a":"${'x'.repeat(262_137)}"}`;

test.each<[what: string, fault: Fault, line: (issuer: string) => string]>([
  [
    'a redirect without an address',
    { before: answering(['/mcp'], (_req, res) => res.writeHead(302).end()) },
    () => '✗ answer without a token: 302 without a Location. Clients report an error instead of logging in. Find out ',
  ],
  [
    'metadata that moved',
    { authorizationServer: (_req, res) => res.writeHead(301, { location: '/x' }).end() },
    (issuer) => `✗ server metadata: ${issuer}${AT_AS} redirects to /x. No client can log in. ${MOVED}`,
  ],
  [
    'a document that moved without an address',
    { before: answering(['/.well-known/oauth-protected-resource/mcp'], (_req, res) => res.writeHead(304).end()) },
    () => `redirects to no address. No client can find out where to log in. ${MOVED}`,
  ],
  [
    'a document that is no JSON',
    { authorizationServer: (_req, res) => res.setHeader('content-type', 'text/html').end('<p>') },
    (issuer) => `✗ server metadata: ${issuer}${AT_AS} answers 200 with text/html that is not a JSON object. `,
  ],
  [
    'a document without a content type that is no JSON',
    {
      authorizationServer: (_req, res) => {
        res.removeHeader('content-type');
        res.end('<p>');
      },
    },
    (issuer) => `✗ server metadata: ${issuer}${AT_AS} answers 200 without a content type, and not with a JSON object. `,
  ],
  [
    'metadata that is too long',
    { authorizationServer: (_req, res) => res.end(BIG) },
    (issuer) => `✗ server metadata: ${issuer}${AT_AS} answers 200 with more bytes than the doctor reads. `,
  ],
  [
    'an answer that is too long',
    { before: answering(['/mcp'], (_req, res) => res.end(BIG)) },
    () => '✗ answer without a token: 200 with more bytes than the doctor reads, not an MCP answer. ',
  ],
  [
    'CORS of two programs',
    {
      before: (_req, res, next) => {
        const { setHeader } = res;
        res.setHeader = (name, value) =>
          setHeader.call(res, name, name.toLowerCase() === 'access-control-allow-origin' ? ['*', '*'] : value);
        next();
      },
    },
    () =>
      '! CORS preflight: other origins are not allowed, only *, *. Clients in a browser cannot send a request. Answer ',
  ],
])('explains %s', async (_what, fault, line) => {
  const server = await startFaultyServer(fault);
  const lines = (await server.walk()).map(lineOf);
  expect(lines).toContainEqual(expect.stringContaining(line(server.issuer)));
});
