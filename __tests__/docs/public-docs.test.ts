import { describe, expect, test } from 'vitest';
import { examplesIn, publicNames } from '../support/public-docs.js';

describe.each([
  ['index.ts', ['McpAuthOptions', 'SharedOptions.mode', 'AuthInfo.token', 'UpstreamError.code', 'McpAuth.revoke']],
  [
    'testing/index.ts',
    ['TestIssuer.listen', 'TestTokenOptions.sub', 'RequestCounts.jwks', 'TestPolicyOptions.resource'],
  ],
  ['admin/index.ts', ['mcpAdmin', 'McpAdminOptions.authorize', 'McpAdmin.close']],
  ['telemetry/opentelemetry/index.ts', ['TelemetryOptions.meterProvider', 'Telemetry.stop']],
  ['store/redis.ts', ['RedisStoreOptions.prefix', 'NodeRedisClient.evalSha', 'IovalkeyClient.evalsha', 'Store.take']],
])('what src/%s makes public', (entry, some) => {
  const names = publicNames(entry);

  test('is found, with the types that it refers to and their members', () => {
    expect(names.map(({ name }) => name)).toEqual(expect.arrayContaining(some));
  });

  test('has TSDoc, with a sentence before its tags', () => {
    expect(names.filter(({ comment }) => /^(?:@|$)/.test(comment)).map(({ name }) => name)).toEqual([]);
  });

  test.each(names.filter(({ isFunction }) => isFunction))('$name() has an example', ({ comment }) => {
    expect(examplesIn(comment)).not.toEqual([]);
  });

  test.each(names.filter(({ comment }) => comment.includes('@default')))(
    'the default of $name is written as in code',
    (named) => {
      const [, value = ''] = named.comment.split('@default ');
      // A value as in code, without backticks: editors show it as code. An option without a default says in words what happens.
      expect(value).toMatch(/^(?:[^`]+|[a-z][^`]*`.*)$/s);
    },
  );
});
