// A stdio MCP server whose name is the environment variable CALLER.
const { createInterface } = require('node:readline');

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method !== 'initialize' && method !== 'ping') return;
  const { protocolVersion } = params ?? {};
  const result =
    method === 'ping'
      ? {}
      : { protocolVersion, capabilities: {}, serverInfo: { name: process.env.CALLER, version: '1.0.0' } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
});
