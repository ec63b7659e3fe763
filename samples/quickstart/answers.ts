import { readFile } from 'node:fs/promises';

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'curl', version: '1.0' } },
});
const HEADERS = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };

/** Three requests to paste into a terminal, each with the answer that the running server gave. */
export async function showAnswers(mcpUrl: string, tokenFile: string): Promise<string> {
  const metadataUrl = new URL('/.well-known/oauth-protected-resource/mcp', mcpUrl).href;
  const authorization = `Bearer ${await readFile(tokenFile, 'utf8')}`;
  return [
    'Paste these into a second terminal, in this folder; below each is what the gateway has just answered.\n',
    section('1. Without a token', curl(mcpUrl), await answerTo(mcpUrl, HEADERS)),
    section('2. Where to get one', `curl -s ${metadataUrl}`, await (await fetch(metadataUrl)).text()),
    section('3. With a token', curl(mcpUrl, tokenFile), await answerTo(mcpUrl, { ...HEADERS, authorization })),
  ].join('\n');
}

function section(title: string, command: string, answer: string): string {
  return `${title}\n\n${indent(command)}\n\n${indent(answer)}\n`;
}

function indent(text: string): string {
  return text.trim().replace(/^(?=.)/gm, '   ');
}

function curl(url: string, tokenFile?: string): string {
  return [
    `curl -s -i ${url}`,
    ...Object.entries(HEADERS).map(([name, value]) => `-H '${name}: ${value}'`),
    ...(tokenFile === undefined ? [] : [`-H "Authorization: Bearer $(cat '${tokenFile}')"`]),
    `-d '${INITIALIZE}'`,
  ].join(' \\\n  ');
}

async function answerTo(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, { method: 'POST', headers, body: INITIALIZE });
  const shown = ['www-authenticate', 'content-type', 'mcp-session-id'].flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [`${name}: ${value}`];
  });
  const body = await response.text();
  await endSession(url, headers, response.headers.get('mcp-session-id'));
  return [`HTTP/1.1 ${response.status} ${response.statusText}`, ...shown, '', shorten(body)].join('\n');
}

async function endSession(url: string, headers: Record<string, string>, session: string | null): Promise<void> {
  if (session !== null) await fetch(url, { method: 'DELETE', headers: { ...headers, 'mcp-session-id': session } });
}

function shorten(body: string): string {
  return body.length > 300 ? `${body.slice(0, 300)}…` : body;
}
