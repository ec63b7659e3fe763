import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { mcpHttpBackend } from '../../src/index.js';
import { SERVER } from '../support/certificates.js';
import { serveRemote } from '../support/http-backend.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { reasonOf } from '../support/mcp-answers.js';
import { initialize, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

afterEach(() => vi.unstubAllEnvs());

/** A forward proxy that leads every tunnel to `port`, and keeps what it was asked for. */
async function startProxy(port: number, status = 200) {
  const asked: string[] = [];
  const server = createServer();
  server.on('connect', (req, socket) => {
    asked.push(`${req.url} ${req.headers['proxy-authorization'] ?? 'no credentials'}`);
    socket.write(`HTTP/1.1 ${status} Whatever\r\n\r\n`);
    if (status !== 200) socket.end();
    else socket.pipe(connect(port, '127.0.0.1')).pipe(socket);
    socket.on('error', () => undefined);
  });
  await listen(server);
  onTestFinished(() => stop(server));
  return { asked, url: originOf(server) };
}

const portOf = (url: string): number => Number(new URL(url).port);

test('another machine is reached through the proxy of HTTP_PROXY', async () => {
  const target = await startRecordingTarget();
  const proxy = await startProxy(portOf(target.url));
  vi.stubEnv('HTTP_PROXY', proxy.url.replace('//', '//ada:pass@'));
  const remote = await serveRemote('http://mcp.internal/mcp', { dangerouslyAllowHttp: true, bearer: 'secret' });
  const response = await post(remote.url, initialize(), remote.bearer('ada'));
  expect([response.status, response.headers.get('mcp-session-id')]).toEqual([200, 'session-1']);
  expect(proxy.asked).toEqual([`mcp.internal:80 Basic ${Buffer.from('ada:pass').toString('base64')}`]);
  expect(target.arrived[0]?.headers).toMatchObject({ host: 'mcp.internal', authorization: 'Bearer secret' });
  expect(target.arrived[0]?.headers).not.toHaveProperty('proxy-authorization');
});

test('over https, it sees nothing, and the private authority and the name are checked at the end', async () => {
  const server = createTlsServer(SERVER, (_req, res) => res.setHeader('content-type', 'application/json').end('{}'));
  await listen(server);
  onTestFinished(() => stop(server));
  const proxy = await startProxy(portOf(originOf(server as never)));
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  const trusted = await serveRemote('https://mcp.internal/mcp', { ca: SERVER.cert });
  const response = await post(trusted.url, initialize(), trusted.bearer('ada'));
  // The certificate is for 127.0.0.1.
  expect([response.status, await reasonOf(response)]).toEqual([502, 'target_unreachable']);
  expect(trusted.lines.at(-1)).toMatch(/altnames|Hostname/i);
  expect(proxy.asked).toEqual(['mcp.internal:443 no credentials']);
});

test.each([
  ['this machine', {}, true],
  ['what NO_PROXY names', { NO_PROXY: 'mcp.invalid' }, false],
])('%s is reached without it', async (_name, env, isLoopback) => {
  const target = await startRecordingTarget();
  const proxy = await startProxy(portOf(target.url));
  for (const [name, value] of Object.entries({ HTTP_PROXY: proxy.url, ...env })) vi.stubEnv(name, value);
  const url = isLoopback ? target.url : 'http://mcp.invalid/mcp';
  const remote = await serveRemote(url, { dangerouslyAllowHttp: true });
  const response = await post(remote.url, initialize(), remote.bearer('ada'));
  expect(response.status).toBe(isLoopback ? 200 : 502);
  expect(proxy.asked).toEqual([]);
});

test.each([
  ['a name without a scheme', 'HTTP_PROXY', 'proxy:3128'],
  ['an address without a scheme', 'HTTPS_PROXY', '10.0.0.1:3128'],
  ['another scheme', 'http_proxy', 'ftp://ada:secret@proxy'],
  ['a password with a bad escape', 'https_proxy', 'http://ada:secret%@proxy:3128'],
])('a proxy that cannot be used is refused at start, and not quoted: %s', (_name, variable, value) => {
  vi.stubEnv(variable, value);
  expect(() => mcpHttpBackend({ url: 'https://mcp.internal/mcp' })).toThrow(
    `mcpHttpBackend(): option "url" must be reachable: ${variable} in the environment names no proxy that can be used. Write ${variable}=http://HOST:PORT, or remove the variable.`,
  );
  expect(() => mcpHttpBackend({ url: 'http://localhost:1/mcp' })).not.toThrow();
});

test.each([
  ['10.1.1.1', '10.1.1.1'],
  ['[fd00::1]', 'fd00::1'],
])('over https, the certificate of %s is checked for the address', async (host, address) => {
  const server = createTlsServer(SERVER, (_req, res) => res.end());
  await listen(server);
  onTestFinished(() => stop(server));
  const proxy = await startProxy(portOf(originOf(server as never)));
  vi.stubEnv('HTTPS_PROXY', proxy.url);
  const remote = await serveRemote(`https://${host}/mcp`, { ca: SERVER.cert });
  expect((await post(remote.url, initialize(), remote.bearer('ada'))).status).toBe(502);
  expect(remote.lines.at(-1)).toContain(`IP: ${address} is not in the cert's list`);
});

test('a proxy that refuses: 502, and its reason in the log', async () => {
  const proxy = await startProxy(1, 407);
  vi.stubEnv('HTTP_PROXY', proxy.url);
  const remote = await serveRemote('http://mcp.internal/mcp', { dangerouslyAllowHttp: true });
  const response = await post(remote.url, initialize(), remote.bearer('ada'));
  expect([response.status, await reasonOf(response)]).toEqual([502, 'target_unreachable']);
  expect(remote.lines.at(-1)).toContain('407');
});
