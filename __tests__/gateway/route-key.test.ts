import { expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { InputFiles } from '../../src/gateway/input-files.js';
import { routeKeyOf } from '../../src/gateway/reload/route-key.js';
import { authentication, scripted } from '../support/file-gateway.js';

const KEY = ['k'.repeat(32)];

test.each<[what: string, policies: object, shared: object, isKept: boolean]>([
  ['a login and session keys', authentication('http://127.0.0.1:1/mcp'), { secret: KEY }, false],
  ['a login without session keys', authentication('http://127.0.0.1:1/mcp'), {}, true],
  ['session keys without a login', {}, { secret: KEY }, true],
])('a route with %s that gets another scope: is it kept?', (_what, policies, shared, isKept) => {
  const file = { mcp: { port: 0, targets: [scripted('one')], policies } };
  const [bind] = parseConfigFile(JSON.stringify(file), '/').binds;
  const [listener] = bind?.listeners ?? [];
  const [route] = listener?.routes ?? [];
  if (bind === undefined || listener === undefined || route === undefined) throw new Error('the file has no route');
  const surroundings = { files: new InputFiles(), secret: undefined, ...shared };
  const keys = ['one', 'another'].map((scope) => routeKeyOf(bind, listener, route, { ...surroundings, scope }).key);
  expect(keys[0] === keys[1]).toBe(isKept);
});
