import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { CLIENT, EXPIRED_SERVER, SERVER } from '../support/certificates.js';
import { bound, hashOf, proof, signer } from '../support/dpop-proofs.js';
import { answer } from '../support/file-gateway.js';
import { AUTHENTICATION, makeGatewayFolder } from '../support/gateway-folder.js';
import { freePort } from '../support/loopback-server.js';
import { ClientMemory, logIn, reconnect } from '../support/mcp-login.js';
import { CLI, isRunning, startTerminal } from '../support/program.js';
import { ISSUER, RESOURCE } from '../support/protected-app.js';
import { routeTo, runReloading, startReloading, withRoutes } from '../support/reloading-gateway.js';
import { createSigner } from '../support/signer.js';
import { until } from '../support/until.js';

const at = (path: string, policies: object) => ({ matches: [{ path: { exact: path } }], policies });
const limit = (maxTokens: number) => [{ maxTokens, tokensPerFill: 1, fillInterval: '1h' }];

test('the calls that a limit has counted stay counted while the limit is the same', async () => {
  const file = (name: string, maxTokens: number) =>
    withRoutes(routeTo('/a', { env: { NAME: name } }, { policies: { localRateLimit: limit(maxTokens) } }));
  const gateway = await startReloading(file('one', 2));
  const init = { method: 'POST', body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' };
  const headers = { 'content-type': 'application/json' };
  const isLimited = async () => (await fetch(`${gateway.origin}/a`, { ...init, headers })).status === 429;
  expect(await isLimited()).toBe(false);
  expect(await gateway.replace(file('two', 2))).toContain('0 routes kept, 1 started');
  expect([await isLimited(), await isLimited()]).toEqual([false, true]);
  await gateway.replace(file('two', 3));
  expect(await isLimited()).toBe(false);
});

test('a DPoP proof that was used before a reload is refused after it, also with a changed route or login', async () => {
  const policy = (audience: string) => ({
    mcpAuthentication: {
      issuer: ISSUER,
      audiences: [RESOURCE, audience],
      jwks: { keys: [signer.jwk] },
      senderConstraint: { dpop: {} },
      resourceMetadata: { resource: RESOURCE },
    },
  });
  const file = (body: string, audience = 'more') => withRoutes(at('/mcp', { ...answer(body), ...policy(audience) }));
  const gateway = await startReloading(file('one'));
  const send = async (dpop: string) =>
    (await fetch(`${gateway.origin}/mcp`, { headers: { authorization: `DPoP ${bound}`, dpop } })).status;
  const used = proof({ ath: hashOf(bound) });
  expect(await send(used)).toBe(200);
  expect(await gateway.replace(file('two'))).toContain('0 routes kept, 1 started');
  expect(await send(used)).toBe(401);
  const usedLater = proof({ ath: hashOf(bound) });
  expect(await send(usedLater)).toBe(200);
  expect(await gateway.replace(file('two', 'other'))).toContain('0 routes kept, 1 started');
  expect([await send(used), await send(usedLater)]).toEqual([401, 401]);
  expect(await send(proof())).toBe(200);
});

/** GETs `/` and notes the certificate of the server. */
const certificateOf = (origin: string, options: object = {}) =>
  new Promise<string>((resolve, reject) => {
    const req = request(origin, { rejectUnauthorized: false, agent: false, ...options }, (res) => {
      resolve((res.socket as TLSSocket).getPeerCertificate().fingerprint256);
      res.resume();
    });
    req.on('error', reject).end();
  });

test('another certificate in the file is used at once, on open ports too, and a broken one keeps what runs', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const write = async (name: string, { cert, key }: { cert: string; key: string }) => {
    await folder.write(`${name}.crt`, cert);
    await folder.write(`${name}.key`, key);
  };
  await write('first', SERVER);
  await write('second', EXPIRED_SERVER);
  const port = await freePort();
  const file = (tls: object) => ({ gateways: { default: { port, tls } }, routes: [{ policies: answer('x') }] });
  const files = (name: string) => ({ cert: `${name}.crt`, key: `${name}.key` });
  await folder.write('config.yaml', JSON.stringify(file(files('first'))));
  const gateway = await runReloading(folder);
  const origin = gateway.origin.replace('http:', 'https:');
  const first = await certificateOf(origin);
  await gateway.replace(file(files('second')));
  const second = await certificateOf(origin);
  expect(second).not.toBe(first);
  expect(gateway.program.stderr).toContain('gateways.default.tls: the certificate has expired on 2021-01-01');
  expect(await certificateOf(origin, { servername: 'a.example' })).toBe(second);
  await folder.write('config.yaml', JSON.stringify(file(files('missing'))));
  await until(() => gateway.program.stderr.includes('missing.crt: the file does not exist'));
  expect(await certificateOf(origin)).toBe(second);
  // The file that was missing appears.
  await gateway.after(() => write('missing', SERVER));
  expect(await certificateOf(origin)).toBe(first);
  await folder.write('root.crt', CLIENT.cert);
  await gateway.replace(file({ ...files('first'), root: 'root.crt' }));
  await expect(certificateOf(origin)).rejects.toThrow();
  expect(await certificateOf(origin, { ...CLIENT, servername: 'a.example' })).toBe(first);
  await gateway.replace({ gateways: { default: { port } }, routes: [{ policies: answer('plain') }] });
  expect(await (await fetch(gateway.origin)).text()).toBe('plain');
});

test('a client whose certificate has no authority any more is refused, on open connections too', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  await folder.write('own.crt', SERVER.cert);
  await folder.write('own.key', SERVER.key);
  await folder.write('root.crt', CLIENT.cert);
  const tls = { cert: 'own.crt', key: 'own.key', root: 'root.crt' };
  const file = { gateways: { default: { port: await freePort(), tls } }, routes: [{ policies: answer('x') }] };
  await folder.write('config.yaml', JSON.stringify(file));
  const gateway = await runReloading(folder);
  const origin = gateway.origin.replace('http:', 'https:');
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, ...CLIENT });
  onTestFinished(() => agent.destroy());
  const ask = () =>
    new Promise((resolve, reject) => {
      const req = request(origin, { agent }, (res) => void res.resume().on('end', () => resolve(res.statusCode)));
      req.on('error', reject).end();
    });
  expect(await ask()).toBe(200);
  const read = () => gateway.program.stdout.split('read the new certificate').length - 1;
  await folder.write('root.crt', `${EXPIRED_SERVER.cert}\n${CLIENT.cert}`);
  await until(() => read() === 1);
  expect(await ask()).toBe(200);
  await folder.write('root.crt', EXPIRED_SERVER.cert);
  await until(() => read() === 2);
  expect(await ask()).toBe(503);
  await expect(ask()).rejects.toThrow();
});

test('with --dev-issuer a new resource gets tokens, and earlier logins stay', async () => {
  const port = await freePort();
  const policies = (path: string) => ({
    mcpAuthentication: {
      resourceMetadata: { resource: `http://127.0.0.1:${port}${path}`, scopesSupported: [`read:${path}`] },
    },
  });
  const routeOf = (path: string) => routeTo(path, {}, { policies: policies(path) });
  const file = (...paths: string[]) => ({ gateways: { default: { port } }, routes: paths.map(routeOf) });
  const gateway = await startReloading(file('/a'), { args: ['--dev-issuer', '--dev-issuer-port', '0'] });
  const memory = new ClientMemory();
  const first = await logIn('v1', `${gateway.origin}/a`, () => ({}), { memory });
  onTestFinished(() => first.close());
  const line = await gateway.replace(file('/a', '/b'));
  expect(line).toContain('1 route kept, 1 started');
  await gateway.program.says(new RegExp(`Add http://127\\.0\\.0\\.1:${port}/b to your MCP client`));
  const second = await logIn('v1', `${gateway.origin}/b`, () => ({}));
  onTestFinished(() => second.close());
  expect(await second.callTool('pid')).toBeDefined();
  expect(await first.callTool('pid')).toBeDefined();
  memory.spoilAccessToken();
  const again = await reconnect('v1', `${gateway.origin}/a`, memory);
  onTestFinished(() => again.close());
  expect(await again.callTool('pid')).toBeDefined();
});

test('a key set in a file is read again by itself, and routes with it stay as they are', async () => {
  const [old, next] = [createSigner(), createSigner()];
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const keys = (...signers: { jwk: object }[]) =>
    folder.write('pub-key', JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
  await keys(old);
  await folder.write(
    'config.yaml',
    JSON.stringify(withRoutes(at('/mcp', { ...answer('in'), mcpAuthentication: AUTHENTICATION }))),
  );
  const gateway = await runReloading(folder);
  const send = async (by: ReturnType<typeof createSigner>) => {
    const iat = Math.floor(Date.now() / 1_000);
    const token = by.sign({ iss: 'https://issuer.test', aud: 'mcp.example', sub: 'a', iat, exp: iat + 60 });
    return (await fetch(`${gateway.origin}/mcp`, { headers: { authorization: `Bearer ${token}` } })).status;
  };
  expect(await send(old)).toBe(200);
  await keys(next);
  await until(async () => (await send(next)) === 200);
  expect(gateway.reloads()).toEqual([]);
});

test('when its terminal is closed the command ends, although SIGHUP otherwise reloads', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const file = await folder.write('config.yaml', JSON.stringify(withRoutes(at('/', answer('x')))));
  const pidFile = `${folder.path}/pid`;
  const run = `${process.execPath} ${CLI} -f ${file} --host 127.0.0.1 --admin off`;
  const terminal = startTerminal(`echo $$ > ${pidFile}; exec ${run}`);
  await terminal.says(/Listening on/);
  const pid = Number(await readFile(pidFile, 'utf8'));
  process.kill(pid, 'SIGHUP');
  await terminal.says(/Reloaded/);
  expect(isRunning(pid)).toBe(true);
  await terminal.stop('SIGKILL');
  await until(() => !isRunning(pid));
});

test('after nohup the command goes on when its terminal is closed', async () => {
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const file = await folder.write('config.yaml', JSON.stringify(withRoutes(at('/', answer('x')))));
  const [pidFile, log] = [join(folder.path, 'pid'), join(folder.path, 'log')];
  const run = `${process.execPath} ${CLI} -f ${file} --host 127.0.0.1 --admin off`;
  // As nohup does it, without the wait for its shell.
  const terminal = startTerminal(`echo $$ > ${pidFile}; exec nohup ${run} < /dev/null > ${log} 2>&1`);
  const logged = async () => (await readFile(log, 'utf8').catch(() => '')).split('\n');
  await until(async () => (await logged()).some((line) => line.includes('Listening on')));
  const pid = Number(await readFile(pidFile, 'utf8'));
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  await terminal.stop('SIGKILL');
  await until(async () => (await logged()).some((line) => line.includes('Reloaded')));
  expect(isRunning(pid)).toBe(true);
});
