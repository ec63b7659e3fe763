// Prints the answers if a package that checks tokens cannot be loaded: the one for DPoP, or the one for ordinary signatures.
import express from 'express';
import { mcpAuth } from 'express-mcp-auth';
import { createTestIssuer } from 'express-mcp-auth/testing';

const issuer = createTestIssuer();
const resource = 'http://localhost/mcp';
const lines = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (line) => lines.push(line),
};
const app = express().use(mcpAuth({ ...issuer.policy({ resource }), senderConstraint: { dpop: {} }, logger }));
app.use((_req, res) => res.json('passed'));
app.use((error, _req, res, _next) => res.status(error.status).json(error.code));

const server = app.listen(0, '127.0.0.1', async () => {
  const send = async (authorization) => {
    const response = await fetch(`http://127.0.0.1:${server.address().port}/mcp`, {
      headers: { authorization, dpop: 'a.b.c' },
    });
    return [
      response.status,
      await response.json(),
      response.headers.get('www-authenticate'),
      response.headers.get('retry-after'),
    ];
  };
  const bound = issuer.token({ claims: { cnf: { jkt: 'thumbprint' } } });
  console.log(
    JSON.stringify({ plain: await send(`Bearer ${issuer.token()}`), bound: await send(`DPoP ${bound}`), lines }),
  );
  server.close();
  server.closeAllConnections();
});
