// The application's copy of the package authenticates; the plugin's copy asks for the caller's identity.
import express from 'express';
import { getAuth, mcpAuth } from 'express-mcp-auth';
import { createTestIssuer } from 'express-mcp-auth/testing';
import * as plugin from 'plugin';

const issuer = createTestIssuer();
const app = express();
const policy = issuer.policy({ resource: 'http://localhost/mcp' });
// It would sign the ids of a server in the app. The plugin's backend keeps its sessions apart itself, and says so across the copies.
app.use(mcpAuth({ ...policy, mode: 'optional', sessionOwners: 'sign', secret: 's'.repeat(32) }));
app.get('/who', (req, res) => res.json(plugin.getAuth(req)?.payload.sub ?? 'anonymous'));
app.get('/copy', (req, res) => res.json(plugin.getAuth(Object.assign(Object.create({}), { auth: req.auth }))));
app.use('/mcp', plugin.scopes, plugin.backend);
app.use((error, _req, res, _next) => res.status(500).json(error.message));

const server = app.listen(0, '127.0.0.1', async () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const alice = { authorization: `Bearer ${issuer.token({ sub: 'alice' })}` };
  const send = async (path, headers, message) => {
    const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const body = message && JSON.stringify({ jsonrpc: '2.0', id: 1, ...message });
    const init = body === undefined ? { headers } : { method: 'POST', headers: { ...json, ...headers }, body };
    const response = await fetch(origin + path, init);
    return {
      status: response.status,
      challenge: response.headers.get('www-authenticate'),
      session: response.headers.get('mcp-session-id'),
      text: await response.text(),
    };
  };
  const clientInfo = { name: 'client', version: '1.0.0' };
  const initialize = { method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } };
  const call = { method: 'tools/call', params: { name: 'delete_file' } };
  const started = await send('/mcp', alice, initialize);
  const session = started.session && { 'mcp-session-id': started.session };
  const seen = {
    isOneCopy: getAuth === plugin.getAuth,
    alice: await send('/who', alice),
    anonymous: await send('/who', {}),
    copiedRequest: await send('/copy', alice),
    started,
    ofSession: await send('/mcp', { ...alice, ...session }, { method: 'ping' }),
    foreign: await send('/mcp', { ...session }, { method: 'ping' }),
    refused: await send('/mcp', alice, call),
    unauthorized: await send('/mcp', {}, call),
  };
  console.log(JSON.stringify(seen));
  await plugin.backend.close();
  server.close();
  server.closeAllConnections();
});
