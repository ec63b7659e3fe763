import { describe, expect, test } from 'vitest';
import { EventRewriter } from '../../src/authorization/event-rewriter.js';

const hide = (data: string) => (data === 'secret' ? 'hidden' : data);
const refuse = () => 'too long';

function rewrite(stream: string, size: number): string {
  const rewriter = new EventRewriter(hide, refuse);
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
  const rewriter = new EventRewriter((data) => data.replace('secret', 'hidden'), refuse);
  const event = (data: string) => Buffer.from(`id: 1\ndata: a\ndata: ${data}\ndata:\n\n`);
  expect(rewriter.push(event('secret'))).toBe('id: 1\ndata: a\ndata: hidden\ndata: \n\n');
});

test('an event is returned with its last byte', () => {
  const rewriter = new EventRewriter(hide, refuse);
  expect(rewriter.push(Buffer.from('data: secret\r\n\r'))).toBe('data: hidden\r\n\r');
  expect(rewriter.push(Buffer.from('\n'))).toBe('\n');
});

test('an event in many pieces takes linear time', () => {
  const rewriter = new EventRewriter(hide, refuse);
  const piece = Buffer.alloc(400, 'x');
  const began = process.cpuUsage();
  for (let i = 0; i < 40_000; i += 1) rewriter.push(piece);
  expect(rewriter.rest().length).toBe(16_000_000);
  expect(process.cpuUsage(began).user / 1000, 'milliseconds').toBeLessThan(3000);
});

describe('an event of more than 16 MiB', () => {
  const MEGABYTE = Buffer.alloc(1_048_576, 'x');
  const push = (rewriter: EventRewriter, ...texts: string[]) =>
    texts.map((text) => rewriter.push(Buffer.from(text))).join('');
  const pushLong = (rewriter: EventRewriter, megabytes: number) =>
    Array.from({ length: megabytes }, () => rewriter.push(MEGABYTE)).join('');

  test.each([['\n\n'], ['\n', '\n'], ['\r\n\r\n'], ['\r\n', '\r\n'], ['\r\n\r', '\n'], ['x\n', '\nid: 9\n']])(
    'is replaced at once, and the next one is passed on after the end %j %j',
    (...end) => {
      const rewriter = new EventRewriter(hide, refuse);
      expect(push(rewriter, 'data: a\n\ndata: ')).toBe('data: a\n\n');
      expect(pushLong(rewriter, 15)).toBe('');
      expect(pushLong(rewriter, 20)).toBe('data: too long\n\n');
      expect(push(rewriter, ...end, 'data: secret\n\n')).toMatch(/^(?:\n|id: 9\n)?data: hidden\n\n$/);
      expect(rewriter.rest()).toBe('');
    },
  );

  test('is dropped if the stream ends in it, and replaced if it comes in one piece', () => {
    const rewriter = new EventRewriter(hide, refuse);
    expect(pushLong(rewriter, 17) + rewriter.rest()).toBe('data: too long\n\n');
    const whole = Buffer.concat([Buffer.from('data: '), ...Array(17).fill(MEGABYTE), Buffer.from('\n\n')]);
    expect(new EventRewriter(hide, refuse).push(whole)).toBe('data: too long\n\n');
  });
});
