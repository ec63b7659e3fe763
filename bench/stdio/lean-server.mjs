// A minimal MCP server, so that little but the bridge is measured: it answers every call with 1 KB.
const text = 'x'.repeat(1_000);
const answer = (id, result) => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}\n`;
const called = JSON.stringify({ content: [{ type: 'text', text }] });
const opened = (version) =>
  JSON.stringify({ protocolVersion: version, capabilities: { tools: {} }, serverInfo: { name: 'lean', version: '1' } });
const listed = JSON.stringify({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] });

let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  let out = '';
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue;
    if (method === 'tools/call') out += answer(id, called);
    else if (method === 'initialize') out += answer(id, opened(params.protocolVersion));
    else out += answer(id, method === 'tools/list' ? listed : '{}');
  }
  if (out !== '') process.stdout.write(out);
});
process.stdin.on('end', () => process.exit(0));
