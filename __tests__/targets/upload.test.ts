import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { HttpTarget } from '../../src/targets/http/http-target.js';
import { Upload } from '../../src/targets/http/upload.js';
import { serve } from '../support/loopback-server.js';
import { startRecordingTarget } from '../support/recording-target.js';

const MAX_WAIT_MS = 300;

test('a body that has arrived is sent on, however slow the target is to read its end', async () => {
  const sent = 'x'.repeat(1_000);
  const url = await serve(async (req, res) => {
    const upload = new Upload(req, 10_000, MAX_WAIT_MS);
    // The target asks for the body, and then reads nothing for a while.
    upload.read(0);
    await wait(MAX_WAIT_MS * 2);
    res.end(upload.destroyed ? String(upload.errored) : await buffer(upload));
  });
  const response = await fetch(url, { method: 'POST', body: sent });
  expect(await response.text()).toBe(sent);
});

test('a body of which nothing comes fails', async () => {
  const url = await serve(async (req, res) => {
    const upload = new Upload(req, 10_000, MAX_WAIT_MS);
    res.end(await buffer(upload).catch(String));
  });
  const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('x')) });
  const response = await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit);
  expect(await response.text()).toContain('BodyError');
});

test('a request that is aborted in the turn in which it began is not sent, and its body is read to the end', async () => {
  const target = await startRecordingTarget();
  const remote = new HttpTarget({ url: new URL(target.url), connectTimeoutSeconds: 10 });
  onTestFinished(() => remote.close());
  await remote.prepare();
  const url = await serve(async (req, res) => {
    const body = new Upload(req, 10_000_000);
    const nothing = { onStart: () => undefined, onData: () => true, onEnd: () => undefined, onFault: () => undefined };
    remote.exchange({ method: 'POST', headers: [], body, timeoutMs: 0 }, nothing).abort();
    req.on('end', () => res.end('read'));
  });
  const response = await fetch(url, { method: 'POST', body: 'x'.repeat(1_000_000) });
  expect(await response.text()).toBe('read');
  expect(target.connections).toBe(0);
});
