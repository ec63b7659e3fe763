const express = require('express');
const { getAuth, mcpAuth, protectedResourceMetadata } = require('express-mcp-auth');

const policy = {
  issuer: process.env.ISSUER ?? 'https://auth.example.com',
  resourceMetadata: { resource: 'http://localhost:3000/mcp' },
};

const app = express();
app.use(mcpAuth(policy));
app.use(protectedResourceMetadata(policy));
app.use('/mcp', (req, res) => res.json({ hello: getAuth(req).clientId }));

const listener = app.listen(Number(process.env.PORT ?? 3000), (error) => {
  if (error) throw error;
  console.log('Listening on', listener.address());
});
