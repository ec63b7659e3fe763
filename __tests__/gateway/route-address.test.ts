import { expect, test } from 'vitest';
import { routeAddress } from '../../src/gateway/admin/route-address.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { answer, authentication, scripted } from '../support/file-gateway.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const backends = [{ mcp: { targets: [scripted('notes')] } }];
const route = (members: object) => ({ gateways: { default: { port: 0 } }, routes: [{ backends, ...members }] });

/** Returns where the page calls the tools of the first route of a file that listens at this address. */
async function addressIn(file: object, address: string | undefined) {
  const gateway = createGateway(parseConfigFile(JSON.stringify(file), '/'), createRecordingLogger().logger);
  const [port] = gateway.openPorts();
  const [listener] = port?.listeners ?? [];
  const [first] = listener?.routes ?? [];
  await gateway.close();
  if (listener === undefined || first === undefined) throw new Error('the file has no route');
  return routeAddress(first, listener, { address })?.({} as never);
}

const BEARER = { header: 'authorization', prefix: 'Bearer ' };
const AT = '127.0.0.1:3000';
const PATH = [{ path: { exact: '/.well-known/x' } }, { path: { exact: '/tools' } }];

test.each<[string, object, string, { url: string; host: string }]>([
  ['every path', route({}), AT, { url: `http://${AT}/mcp`, host: AT }],
  ['every address', route({}), '0.0.0.0:3000', { url: `http://${AT}/mcp`, host: AT }],
  ['every IPv6 address', route({}), '[::]:3000', { url: 'http://[::1]:3000/mcp', host: '[::1]:3000' }],
  ['one IPv6 address', route({}), '[::1]:3000', { url: 'http://[::1]:3000/mcp', host: '[::1]:3000' }],
  ['a path', route({ matches: PATH }), AT, { url: `http://${AT}/tools`, host: AT }],
  ['a prefix', route({ matches: [{ path: { pathPrefix: '/tools/' } }] }), AT, { url: `http://${AT}/tools`, host: AT }],
  [
    'a host name',
    route({ hostnames: ['*.example.com', 'a.example.com'] }),
    AT,
    { url: `http://${AT}/mcp`, host: 'a.example.com' },
  ],
  [
    'a resource',
    route({ policies: authentication('https://a.example.com/x/mcp'), hostnames: ['*.example.com'] }),
    AT,
    { url: `http://${AT}/x/mcp`, host: 'a.example.com' },
  ],
  [
    'a resource on another host, which a proxy replaces',
    route({ policies: authentication('https://a.example.com/mcp'), hostnames: ['internal'] }),
    AT,
    { url: `http://${AT}/mcp`, host: 'internal' },
  ],
  [
    'a resource with another path, which a proxy replaces',
    route({ policies: authentication('https://a.example.com/x'), matches: PATH }),
    AT,
    { url: `http://${AT}/tools`, host: 'a.example.com' },
  ],
])('the tools of a route with %s are called at its own port', async (_what, file, address, expected) => {
  expect(await addressIn(file, address)).toEqual({ ...expected, credential: BEARER });
});

test.each<[string, object, string | undefined]>([
  ['a closed port', route({}), undefined],
  ['a pattern as its only host name', route({ hostnames: ['*.example.com'] }), AT],
  ['a pattern as its only path', route({ matches: [{ path: { regex: '/a+' } }] }), AT],
  [
    'a header that requests need',
    route({ matches: [{ path: { exact: '/mcp' }, headers: [{ name: 'x', value: { exact: '1' } }] }] }),
    AT,
  ],
  ['another method', route({ matches: [{ path: { exact: '/mcp' }, method: 'GET' }] }), AT],
  ['an answer of its own', route({ backends: undefined, policies: answer('x') }), AT],
])('the tools of a route with %s cannot be called', async (_what, file, address) => {
  expect(await addressIn(file, address)).toBeUndefined();
});
