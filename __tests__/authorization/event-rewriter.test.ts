import { expect, test } from 'vitest';
import { EventRewriter } from '../../src/authorization/event-rewriter.js';

const hide = (data: string) => (data === 'secret' ? 'hidden' : data);

function rewrite(stream: string, size: number): string {
  const rewriter = new EventRewriter(hide);
  const bytes = Buffer.from(stream);
  let written = '';
  for (let at = 0; at < bytes.length; at += size) written += rewriter.push(bytes.subarray(at, at + size));
  return written + rewriter.rest();
}

test.each(['\n\n', '\r\n\r\n', '\r\r', '\n\r\n', '\n\r', '\r\n\n', '\r\n\r', '\r\r\n'])(
  'rewrites events that end with %j, whole or cut anywhere',
  (end) => {
    const stream = ['data: ä', 'data: secret', 'data: secret', ''].join(end);
    for (const size of [1, 2, 3, 4, 5, 1000]) {
      expect(rewrite(stream, size)).toBe(stream.replaceAll('secret', 'hidden'));
    }
  },
);

test('a line end that is cut in two is one line end', () => {
  expect(rewrite('data: sec\r\ndata: ret\r\n\r\n', 1)).toBe('data: sec\r\ndata: ret\r\n\r\n');
});

test('data of several lines stays in lines of data', () => {
  const rewriter = new EventRewriter((data) => data.replace('secret', 'hidden'));
  const event = (data: string) => Buffer.from(`id: 1\ndata: a\ndata: ${data}\ndata:\n\n`);
  expect(rewriter.push(event('secret'))).toBe('id: 1\ndata: a\ndata: hidden\ndata: \n\n');
});

test('an event is returned with its last byte', () => {
  const rewriter = new EventRewriter(hide);
  expect(rewriter.push(Buffer.from('data: secret\r\n\r'))).toBe('data: hidden\r\n\r');
  expect(rewriter.push(Buffer.from('\n'))).toBe('\n');
});

test('an event in many pieces takes linear time', () => {
  const rewriter = new EventRewriter(hide);
  const piece = Buffer.alloc(400, 'x');
  const began = process.cpuUsage();
  for (let i = 0; i < 40_000; i += 1) rewriter.push(piece);
  expect(rewriter.rest().length).toBe(16_000_000);
  expect(process.cpuUsage(began).user / 1000, 'milliseconds').toBeLessThan(3000);
});
