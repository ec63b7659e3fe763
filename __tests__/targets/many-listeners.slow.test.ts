import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { call, JSON_HEADERS, open } from '../support/mcp-requests.js';
import { replyJson, serveTarget, startSessionTarget } from '../support/remote-target.js';
import { until } from '../support/until.js';

const BIG = 'x'.repeat(8_000_000);

/** Collects the warnings of Node until the test ends. */
function warningsOfNode(): readonly Error[] {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  return warnings;
}

function sendUnread(url: string, messages: readonly object[], headers: Record<string, string> = {}): void {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
  onTestFinished(() => void socket.destroy());
  for (const message of messages) {
    const body = JSON.stringify(message);
    const own = { ...JSON_HEADERS, ...headers, host: 'localhost', 'content-length': `${body.length}` };
    const lines = Object.entries(own).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST /mcp HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  }
}

test('Node does not warn of many listeners where a client reads the answer of one of many targets slowly', async () => {
  const warnings = warningsOfNode();
  let isAnswered = false;
  const target = await startSessionTarget(({ id, method }, res) => {
    if (method !== 'tools/call') return replyJson(res, id, {});
    res.on('finish', () => {
      isAnswered = true;
    });
    replyJson(res, id, { text: BIG });
  });
  const targets = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`t${index}`, { url: target.url }]));
  const { url } = await serveTarget(target.url, {}, { targets });
  sendUnread(url, [call(1, 't0_x')], await open(url));
  await until(() => isAnswered);
  await wait(200);
  expect(warnings).toEqual([]);
});

test('Node does not warn of many listeners where many long answers wait on one connection of a client', async () => {
  const warnings = warningsOfNode();
  let answered = 0;
  const target = await startSessionTarget(({ id, params }, res) => {
    res.on('finish', () => answered++);
    replyJson(res, id, { text: params.name === 'big' ? BIG : BIG.slice(0, 200_000) });
  });
  const { url } = await serveTarget(target.url, {}, { sessions: false });
  sendUnread(
    url,
    Array.from({ length: 14 }, (_, index) => call(index, index === 0 ? 'big' : 'less')),
  );
  await until(() => answered === 14);
  await wait(200);
  expect(warnings).toEqual([]);
});
