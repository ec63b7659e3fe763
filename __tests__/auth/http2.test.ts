import { describe, expect, test } from 'vitest';
import { getAuth, type Middleware, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { serveHttp2 } from '../support/http2-server.js';
import { claims, ISSUER, RESOURCE } from '../support/protected-app.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const policy = { issuer: ISSUER, audiences: [RESOURCE], jwks: { keys: [signer.jwk] } };
const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const MCP = { ':method': 'POST', ':path': '/mcp' };

const answerSubject: Middleware = (req, res) => void res.end(getAuth(req as never)?.subject);

const serve = () => serveHttp2(mcpAuth(policy), protectedResourceMetadata(policy), answerSubject);

describe('over HTTP/2, without a configured resource', () => {
  test.each<[string, Record<string, string>, string]>([
    ['as :authority has it', { ':authority': 'mcp.example' }, 'mcp.example'],
    ['as :authority has it, with a port', { ':authority': '[::1]:3000' }, '[::1]:3000'],
    ['as both have it', { ':authority': 'MCP.example', host: 'mcp.example' }, 'mcp.example'],
  ])('challenge and metadata name the origin of the request, %s', async (_how, names, host) => {
    const { send } = await serve();
    const { status, headers } = await send({ ...MCP, ...names });
    expect([status, headers['www-authenticate']]).toEqual([
      401,
      `Bearer resource_metadata="http://${host}${WELL_KNOWN}"`,
    ]);
    expect(JSON.parse((await send({ ':path': WELL_KNOWN, ...names })).body).resource).toBe(`http://${host}`);
  });

  test.each<[string, Record<string, string>]>([
    ['that differs from Host', { ':authority': 'mcp.example', host: 'other.example' }],
    ['whose port differs from that of Host', { ':authority': 'mcp.example', host: 'mcp.example:1' }],
    ['whose port is no number', { ':authority': 'mcp.example:x' }],
  ])('an :authority %s is answered 400', async (_what, names) => {
    const { send } = await serve();
    for (const headers of [
      { ...MCP, ...names },
      { ':path': WELL_KNOWN, ...names },
    ]) {
      const { status, body } = await send(headers);
      expect([status, JSON.parse(body)]).toEqual([
        400,
        { error: 'invalid_request', error_description: 'The Host header is not a host name with an optional port' },
      ]);
    }
  });

  test('a good token passes', async () => {
    const { send, warnings } = await serve();
    const { status, body } = await send({ ...MCP, authorization: `Bearer ${signer.sign(claims())}` });
    expect([status, body, warnings]).toEqual([200, 'alice', []]);
  });
});
