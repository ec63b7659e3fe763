import { describe, expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { good } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

/** The lines that are logged at construction. */
function linesOf(options: Record<string, unknown>): readonly string[] {
  const { lines, logger } = createRecordingLogger();
  mcpAuth({ ...good, ...options, logger } as McpAuthOptions);
  return lines;
}

describe('an issuer with opaque access tokens', () => {
  test.each([
    ['https://accounts.google.com', 'Google', 'google: { allow: … }'],
    ['accounts.google.com', 'Google', 'google: { allow: … }'],
    ['https://github.com/login/oauth', 'GitHub', 'github: { allow: … }'],
    ['https://slack.com', 'Slack', 'oauth2: { … }'],
  ])('is warned about: %s', (issuer, name, provider) => {
    expect(linesOf({ issuer })).toEqual([
      `warn mcpAuth(): access tokens of issuer "${issuer}" will be refused: ${name} issues opaque access tokens, not JWTs. To let users log in with ${name}, leave issuer out and write provider: { ${provider} }: this server then issues the tokens. Or check them with verifiers or introspection.`,
    ]);
  });

  test.each(['https://accounts.google.com.example', 'https://token.actions.githubusercontent.com'])(
    'is another than %s',
    (issuer) => {
      expect(linesOf({ issuer })).toEqual([]);
    },
  );
});
