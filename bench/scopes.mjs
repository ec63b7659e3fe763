import { fileURLToPath } from 'node:url';
import express from 'express';
import { mcpAuthorization, mcpLimits, mcpScopes } from '../dist/index.js';
import { compareRoutes } from './compare-routes.mjs';

// Measures what mcpScopes(), mcpAuthorization() and mcpLimits() add to a call of 2 KiB, in CPU time of the server's process.
// The call of an agent that writes a file: some options, and text.
const LINE = '- call back "Ada" about the budget, before noon\n';
const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'report_daily',
    arguments: { path: 'notes/today.md', append: true, tags: ['work', 'calls'], text: LINE.repeat(36) },
    _meta: { progressToken: 1 },
  },
}).padEnd(2048);
const RULES = {
  'tools/call': { '*': ['mcp:call'], delete_file: ['files:write'], 'report_*': ['reports:read'] },
  'resources/read': { 'file:///secret/*': ['files:secret'] },
};
const readAsSent = (req, res) => {
  let bytes = 0;
  req.on('data', (chunk) => {
    bytes += chunk.length;
  });
  req.on('end', () => res.end(String(bytes)));
};
const takeBody = (req, res) => {
  res.end(req.body?.method);
};
const scopes = mcpScopes(RULES, { implies: { admin: ['mcp:call'] } });
const limits = mcpLimits([
  { per: 'user', tokens: 1e9, refill: 1e9, every: '1s' },
  { per: 'tool', tokens: 1e9, refill: 1e9, every: '1s' },
]);
/** Ten expressions, each of which is evaluated: none before the last decides. */
const EXPRESSIONS = [
  { deny: 'mcp.tool.name == "delete_file"' },
  { deny: 'mcp.tool.arguments.path.startsWith("/etc/")' },
  { deny: 'mcp.tool.name.matches("^admin_[a-z]+$")' },
  { deny: 'size(mcp.tool.arguments.text) > 10000' },
  { deny: 'mcp.tool.arguments.tags.exists(tag, tag == "secret")' },
  { deny: 'default(request.headers["x-internal"], "") == "no"' },
  { require: 'has(jwt.sub) && jwt.sub != "eve"' },
  { require: '"reports:read" in jwt.scope.split(" ")' },
  'mcp.tool.name == "echo"',
  'mcp.tool.name.startsWith("report_")',
];
/** Each comparison is of two routes, which differ only in one middleware. */
const COMPARISONS = {
  'mcpScopes() adds': () => ({ routes: [[readAsSent], [scopes, readAsSent]] }),
  'instead of express.json(), mcpScopes() adds': () => ({
    routes: [
      [express.json(), takeBody],
      [scopes, takeBody],
    ],
  }),
  'ten expressions add to mcpScopes() with a rule for another method': () => ({
    routes: [
      [mcpScopes({ ping: ['mcp:call'] }), readAsSent],
      [mcpAuthorization({ rules: EXPRESSIONS }), readAsSent],
    ],
  }),
  'two limits add to mcpScopes()': () => ({
    routes: [
      [scopes, readAsSent],
      [scopes, limits, readAsSent],
    ],
  }),
  'the same again adds (control)': () => ({
    routes: [
      [scopes, readAsSent],
      [scopes, readAsSent],
    ],
  }),
};

void compareRoutes(fileURLToPath(import.meta.url), CALL, COMPARISONS);
