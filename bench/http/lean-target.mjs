import { createServer } from 'node:http';

// A minimal remote MCP server, so that little but what stands before it is measured: it answers every call with 1 KB.
const [port = ''] = process.argv.slice(2);
const result = JSON.stringify({ content: [{ type: 'text', text: 'x'.repeat(1_000) }] });
const opened = JSON.stringify({
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'lean', version: '1' },
});

function answer(res, text) {
  const { id, method } = JSON.parse(text);
  if (id === undefined) return res.writeHead(202).end();
  const body = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${method === 'initialize' ? opened : result}}`;
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return res.writeHead(200, method === 'initialize' ? { ...headers, 'mcp-session-id': 'lean' } : headers).end(body);
}

const server = createServer((req, res) => {
  if (req.method === 'GET') {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
    return;
  }
  let text = '';
  req.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  req.on('end', () => (req.method === 'POST' ? answer(res, text) : res.writeHead(200).end()));
});
server.keepAliveTimeout = 60_000;
server.listen(Number(port), '127.0.0.1');
