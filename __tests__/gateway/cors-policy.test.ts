import { describe, expect, test } from 'vitest';
import { ConfigNode } from '../../src/gateway/config/config-node.js';
import { readCorsPolicy } from '../../src/gateway/config/cors-policy.js';

const read = (value: unknown) => readCorsPolicy(new ConfigNode(value, 'cors')).options;

describe('readCorsPolicy', () => {
  const nothing = {
    allowedOrigins: [],
    allowedHeaders: [],
    exposedHeaders: [],
    methods: ['GET', 'HEAD', 'POST'],
    credentials: false,
  };

  test('allows only what it lists, and the methods that need no preflight', () => {
    expect(read({})).toEqual(nothing);
  });

  test('passes on what it lists', () => {
    const policy = {
      allowOrigins: ['https://a.example', 'https://*.b.example'],
      allowHeaders: ['*'],
      allowMethods: ['POST', 'DELETE'],
      exposeHeaders: ['Mcp-Session-Id'],
      allowCredentials: true,
    };
    expect(read(policy)).toEqual({
      allowedOrigins: policy.allowOrigins,
      allowedHeaders: ['*'],
      exposedHeaders: ['Mcp-Session-Id'],
      methods: ['POST', 'DELETE'],
      credentials: true,
    });
  });

  test('names every method if it allows every method', () => {
    expect(read({ allowMethods: ['*'] }).methods).toEqual(['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE']);
  });

  test.each([
    ['600s', 600],
    ['10m', 600],
    ['1h', 3600],
    ['1h30m5s', 5405],
    ['0s', 0],
  ])('reads maxAge %s', (maxAge, seconds) => {
    expect(read({ maxAge })).toEqual({ ...nothing, maxAgeSeconds: seconds });
  });

  const refused: ReadonlyArray<readonly [policy: object, message: string]> = [
    [{ allowOrigins: 'a' }, 'cors.allowOrigins must be a list, but is "a"'],
    [{ allowOrigin: ['*'] }, 'cors.allowOrigin is not supported. Did you mean "allowOrigins"?'],
    [{ allowHeaders: [1] }, 'cors.allowHeaders[0] must be text: put the number in quotes'],
    [{ allowCredentials: 'yes' }, 'cors.allowCredentials must be true or false, but is "yes"'],
    [{ maxAge: 600 }, 'cors.maxAge must have a unit: write "600s" for seconds'],
    [{ maxAge: '600' }, 'cors.maxAge must be a time such as "600s", "10m" or "1h", but is "600"'],
    [{ maxAge: '1h ' }, 'cors.maxAge must be a time such as "600s", "10m" or "1h", but is "1h "'],
  ];
  test.each(refused)('refuses %j', (policy, message) => {
    expect(() => read(policy)).toThrow(expect.objectContaining({ name: 'StartupError', message }));
  });
});
