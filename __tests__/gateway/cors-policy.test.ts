import { describe, expect, test } from 'vitest';
import { ConfigNode } from '../../src/gateway/config-node.js';
import { readCorsPolicy } from '../../src/gateway/cors-policy.js';

const read = (value: unknown) => readCorsPolicy(new ConfigNode(value, 'cors'));

describe('readCorsPolicy', () => {
  const accepted: ReadonlyArray<readonly [what: string, policy: object, options: object]> = [
    [
      'allows nothing that it does not list',
      {},
      { origin: [], allowedHeaders: [], methods: [], exposedHeaders: [], credentials: false },
    ],
    [
      'mirrors the headers a browser asks for where every header is allowed',
      { allowOrigins: ['*'], allowHeaders: ['*'], exposeHeaders: ['Mcp-Session-Id'] },
      { origin: '*', methods: [], exposedHeaders: ['Mcp-Session-Id'], credentials: false },
    ],
    [
      'names every method where every method is allowed',
      { allowOrigins: ['https://a.example', 'http://localhost:6274'], allowMethods: ['*'], allowCredentials: true },
      {
        origin: ['https://a.example', 'http://localhost:6274'],
        allowedHeaders: [],
        methods: ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'],
        exposedHeaders: [],
        credentials: true,
      },
    ],
    [
      'allows the origin of a browser extension and of an editor',
      { allowOrigins: ['chrome-extension://abc', 'vscode-webview://xyz'] },
      {
        origin: ['chrome-extension://abc', 'vscode-webview://xyz'],
        allowedHeaders: [],
        methods: [],
        exposedHeaders: [],
        credentials: false,
      },
    ],
  ];
  test.each(accepted)('%s', (_what, policy, options) => {
    expect(read(policy)).toEqual(options);
  });

  test.each([
    ['600s', 600],
    ['10m', 600],
    ['1h', 3600],
    ['1h30m5s', 5405],
    ['0s', 0],
  ])('reads maxAge %s', (maxAge, seconds) => {
    expect(read({ maxAge })).toHaveProperty('maxAge', seconds);
  });

  const notAnOrigin = 'must be "*" or an origin such as "https://app.example.com" (no path, no pattern), but is';
  const refused: ReadonlyArray<readonly [policy: object, message: string]> = [
    [{ allowOrigins: ['https://a.example/'] }, `cors.allowOrigins[0] ${notAnOrigin} "https://a.example/"`],
    [{ allowOrigins: ['https://*.example'] }, `cors.allowOrigins[0] ${notAnOrigin} "https://*.example"`],
    [{ allowOrigins: ['*', 'https://A.example'] }, `cors.allowOrigins[1] ${notAnOrigin} "https://A.example"`],
    [{ allowOrigins: ['https://a.example:443'] }, `cors.allowOrigins[0] ${notAnOrigin} "https://a.example:443"`],
    [{ allowOrigins: ['null'] }, `cors.allowOrigins[0] ${notAnOrigin} "null"`],
    [{ allowOrigins: 'a' }, 'cors.allowOrigins must be a list, but is "a"'],
    [{ allowOrigin: ['*'] }, 'cors.allowOrigin is not supported. Did you mean "allowOrigins"?'],
    [{ allowHeaders: [1] }, 'cors.allowHeaders[0] must be text: put the number in quotes'],
    [{ allowCredentials: 'yes' }, 'cors.allowCredentials must be true or false, but is "yes"'],
    [{ maxAge: 600 }, 'cors.maxAge must be text: put the number in quotes'],
    [{ maxAge: '600' }, 'cors.maxAge must be a time such as "600s", "10m" or "1h", but is "600"'],
    [
      { allowOrigins: ['*'], allowCredentials: true },
      'cors.allowCredentials must not be true where allowOrigins has "*": any web site could act as the user',
    ],
  ];
  test.each(refused)('refuses %j', (policy, message) => {
    expect(() => read(policy)).toThrow(expect.objectContaining({ name: 'StartupError', message }));
  });
});
