import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { startTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

/** Begins a body of unknown length; `text` collects the answer. */
function begin(url: string, authorization: string) {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  const sent = { socket, text: '' };
  socket
    .on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      sent.text += chunk.toString('latin1');
    });
  const head = ['POST /mcp HTTP/1.1', `Host: ${host}`, `Authorization: ${authorization}`];
  socket.write(`${[...head, 'Content-Type: application/json', 'Transfer-Encoding: chunked'].join('\r\n')}\r\n\r\n`);
  return sent;
}

test('a body of which nothing comes for 30 seconds frees its connection to the target; one that goes on is sent on', async () => {
  let aborted = 0;
  const bodies: string[] = [];
  const target = await startTarget((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    req.on('close', () => {
      if (!req.complete) aborted++;
    });
    req.on('end', () => {
      bodies.push(body);
      res.end('{}');
    });
  });
  const remote = await serveRemote(target.url);
  const { authorization } = remote.bearer('ada');
  const [silent, slow] = [begin(remote.url, authorization), begin(remote.url, authorization)];
  await until(() => remote.backend.stats().pending === 2);
  await wait(200);
  for (const { socket } of [silent, slow]) socket.write('1\r\n{\r\n');
  await wait(20_000);
  slow.socket.write('1\r\n}\r\n');
  await until(() => silent.text !== '' && aborted === 1, 15_000);
  expect(silent.text).toMatch(/^HTTP\/1.1 408 [\s\S]*"reason":"body_too_slow"/);
  await wait(3_000);
  slow.socket.write('0\r\n\r\n');
  await until(() => slow.text !== '');
  expect(slow.text).toMatch(/^HTTP\/1.1 200 /);
  expect(bodies).toEqual(['{}']);
  slow.socket.destroy();
}, 60_000);
