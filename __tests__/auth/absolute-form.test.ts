import { expect, test } from 'vitest';
import { serve } from '../support/loopback-server.js';
import { claims, createProtectedApp } from '../support/protected-app.js';
import { sendRaw } from '../support/raw-request.js';
import { createSigner } from '../support/signer.js';

const signer = createSigner();
const resourceOf = (tenant: string) => `https://mcp.example/${tenant}/mcp`;

test.each([
  ['/acme/mcp', 'acme', 200],
  ['http://mcp.example/acme/mcp', 'acme', 200],
  ['http://other.example:80/acme/mcp?x', 'acme', 200],
  ['http://mcp.example/acme/mcp', 'globex', 401],
  ['http://mcp.example/globex/mcp', 'acme', 401],
  ['http://globex/acme/mcp', 'globex', 401],
  ['http://mcp.example//acme/mcp', 'acme', 401],
  ['http://mcp.example/acme\\/mcp', 'acme', 401],
  ['http://mcp.example/acme/mcp/\\..\\..\\..\\globex/mcp', 'acme', 401],
])('the path of a target names the tenant: %s with a token of %s: %d', async (target, tenant, status) => {
  const { app } = createProtectedApp({ resourceMetadata: { resource: resourceOf('{tenant}') } }, signer);
  const token = signer.sign(claims({ aud: resourceOf(tenant) }));
  const head = `Host: mcp.example\r\nConnection: close\r\nAuthorization: Bearer ${token}`;
  const answer = await sendRaw(await serve(app), `GET ${target} HTTP/1.1\r\n${head}\r\n\r\n`);
  expect(Number(answer.split(' ')[1])).toBe(status);
});
