const express = require('express');
const { getAuth, mcpAuth, protectedResourceMetadata } = require('express-mcp-auth');

const port = Number(process.env.PORT ?? 3000);
const issuer = process.env.ISSUER ?? 'https://auth.example.com';
const app = express();

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy = { issuer, resourceMetadata, logger: console };
app.use('/mcp', mcpAuth(policy));
app.use(protectedResourceMetadata(policy));

app.use('/mcp', (req, res) => res.json({ hello: getAuth(req).clientId }));

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});
