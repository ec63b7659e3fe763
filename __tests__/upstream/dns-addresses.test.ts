import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { createDnsResolve } from '../../src/upstream/dns-addresses.js';

const TYPES = { A: 1, AAAA: 28 };
const NO_SUCH_NAME = 3;

/** A DNS server that has these addresses for every name. */
async function startDns(addresses: { readonly [type in keyof typeof TYPES]?: readonly number[] }, code = 0) {
  const asked: number[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5;
    const type = query.readUInt16BE(end - 4);
    asked.push(type);
    const data = Object.entries(TYPES).flatMap(([name, each]) =>
      each === type ? [addresses[name as keyof typeof TYPES] ?? []] : [],
    );
    const bytes = data.flat();
    const hasAnswer = bytes.length > 0;
    const header = Buffer.from([
      query[0] ?? 0,
      query[1] ?? 0,
      0x81,
      0x80 | code,
      0,
      1,
      0,
      hasAnswer ? 1 : 0,
      0,
      0,
      0,
      0,
    ]);
    // A pointer to the name of the question, the type, the class IN, a time to live, and the address.
    const answer = hasAnswer
      ? Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes])
      : Buffer.alloc(0);
    socket.send(Buffer.concat([header, query.subarray(12, end), answer]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { asked, resolve: createDnsResolve([`127.0.0.1:${socket.address().port}`]) };
}

const V4 = [192, 0, 2, 1];
const V6 = [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), 1];

test('returns the addresses of both families, IPv4 first', async () => {
  const { resolve, asked } = await startDns({ A: V4, AAAA: V6 });
  expect(await resolve('app.example')).toEqual([
    { address: '192.0.2.1', family: 4 },
    { address: '2001:db8::1', family: 6 },
  ]);
  expect(asked.toSorted()).toEqual([TYPES.A, TYPES.AAAA]);
});

test('a name with addresses of one family has those', async () => {
  expect(await (await startDns({ A: V4 })).resolve('app.example')).toEqual([{ address: '192.0.2.1', family: 4 }]);
  expect(await (await startDns({ AAAA: V6 })).resolve('app.example')).toEqual([{ address: '2001:db8::1', family: 6 }]);
});

test('fails with a code if there is no such name', async () => {
  const { resolve } = await startDns({}, NO_SUCH_NAME);
  await expect(resolve('app.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

test('does not read the files of this machine', async () => {
  const { resolve } = await startDns({ A: V4 });
  expect(await resolve('ip6-localhost')).toEqual([{ address: '192.0.2.1', family: 4 }]);
});
