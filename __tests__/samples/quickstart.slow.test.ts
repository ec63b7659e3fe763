import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { endPrograms, ROOT, startNode } from '../support/program.js';

const START = `${ROOT}build/samples/quickstart/start.js`;

/** Without the warning of two commands on one machine: other tests run at the same time. */
const linesOf = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .filter((line) => !line.includes('no admin address'));

/** The configuration of a first try takes pages of every origin. */
const EVERY_ORIGIN =
  'WARN express-mcp-auth: binds[0].listeners[0].routes[0].policies.cors: mcpCors(): allowOrigins is "*", so pages of every origin may read answers: list the origins of your pages in allowOrigins';

describe('npm start', () => {
  let folder: GatewayFolder;
  let config: string;
  beforeAll(async () => {
    folder = await makeGatewayFolder();
    config = await readFile(`${ROOT}samples/quickstart/config.yaml`, 'utf8');
  });
  afterAll(async () => {
    await endPrograms();
    await folder.remove();
  });

  test('makes keys, starts the gateway on loopback, and shows three requests with their answers', async () => {
    await folder.write('config.yaml', config.replace('port: 3000', 'port: 0'));
    const program = startNode([START, folder.path, '0']);
    const [shown] = await program.says(/INFO[^\n]*Listening.*Ctrl-C stops the gateway, and so does `kill \d+`\./s);
    expect(shown).toMatch(/^INFO express-mcp-auth: Listening on 127\.0\.0\.1:\d+\n/);
    expect(shown).toContain(
      '   HTTP/1.1 401 Unauthorized\n' +
        '   www-authenticate: Bearer resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource/mcp"\n' +
        '   content-type: application/json\n\n' +
        '   {"error":"unauthorized","error_description":"JWT token required"}\n',
    );
    expect(shown).toContain('   {"resource":"http://localhost:3000/mcp","authorization_servers":["http://localhost:');
    expect(shown).toMatch(/-H "Authorization: Bearer \$\(cat '.*keys\/token\.jwt'\)"/);
    expect(shown).toMatch(/ {3}HTTP\/1\.1 200 OK\n.*"protocolVersion":"2025-06-18"/s);
    expect(await program.stop('SIGINT')).toBe(0);
    expect(linesOf(program.stderr)).toEqual([
      EVERY_ORIGIN,
      expect.stringMatching(
        /^WARN express-mcp-auth: http:\/\/localhost:\d+ lets anyone log in with one click: FOR DEVELOPMENT ONLY$/,
      ),
    ]);
  });

  test('keeps the key for the next start, where only its owner can read it', async () => {
    const key = `${folder.path}/keys/private-key.json`;
    const before = await readFile(key, 'utf8');
    expect(((await stat(key)).mode & 0o777).toString(8)).toBe('600');
    expect(await readFile(`${folder.path}/keys/jwks.json`, 'utf8')).not.toContain('"d"');
    const program = startNode([START, folder.path, '0']);
    await program.says(/Ctrl-C stops the gateway/);
    expect(await program.stop()).toBe(0);
    expect(await readFile(key, 'utf8')).toBe(before);
  });

  test('stops with the gateway at the `kill` that it shows', async () => {
    const program = startNode([START, folder.path, '0']);
    const [, port] = await program.says(/Listening on 127\.0\.0\.1:(\d+)/);
    const [, pid] = await program.says(/and so does `kill (\d+)`\./);
    process.kill(Number(pid));
    expect(await program.ended).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/mcp`)).rejects.toThrow('fetch failed');
  });

  test('says in one sentence that the port is in use, with exit code 1', async () => {
    const other = createServer();
    await listen(other);
    onTestFinished(() => stop(other));
    const { port } = new URL(originOf(other));
    await folder.write(
      'config.yaml',
      config.replace('port: 3000', `port: ${port}`).replaceAll('localhost:3000', `localhost:${port}`),
    );
    const program = startNode([START, folder.path, '0']);
    expect(await program.ended).toBe(1);
    expect(linesOf(program.stderr)).toEqual([
      EVERY_ORIGIN,
      `express-mcp-auth: port ${port} on 127.0.0.1 is in use: stop the program that uses it, or change binds[0].port`,
    ]);
  });

  test.each([
    ['there is no configuration file', undefined, 'config.yaml: the file does not exist\n'],
    ['a key of it is wrong', (text: string) => text.replace('cors:', 'corse:'), 'policies.corse is not supported. '],
  ])('says in one sentence that %s, with exit code 1', async (_what, change, sentence) => {
    const empty = await makeGatewayFolder();
    if (change) await empty.write('config.yaml', change(config));
    const program = startNode([START, empty.path, '0']);
    expect(await program.ended).toBe(1);
    expect(program.stderr).toContain(sentence);
    expect(linesOf(program.stderr)).toHaveLength(1);
    await empty.remove();
  });
});
