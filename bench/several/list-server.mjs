// A minimal MCP server that lists as many tools as its argument says.
import { createInterface } from 'node:readline';

const property = { type: 'string', description: 'What this argument means, in a sentence of the usual length' };
const inputSchema = {
  type: 'object',
  properties: { path: property, query: property, limit: property },
  required: ['path'],
};
const description = 'Does one thing well. '.repeat(10);
const tools = Array.from({ length: Number(process.argv[2]) }, (_, index) => ({
  name: `tool_${index}`,
  description,
  inputSchema,
}));
const listed = JSON.stringify({ tools });
const answer = (id, result) =>
  process.stdout.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}\n`);

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const serverInfo = { name: 'list', version: '1' };
  if (method === 'initialize') {
    answer(id, JSON.stringify({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo }));
  } else if (id !== undefined) answer(id, method === 'tools/list' ? listed : '{}');
});
process.stdin.on('end', () => process.exit(0));
