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
    ['https://accounts.google.com', 'Google'],
    ['accounts.google.com', 'Google'],
    ['https://github.com/login/oauth', 'GitHub'],
    ['https://slack.com', 'Slack'],
  ])('is warned about: %s', (issuer, name) => {
    expect(linesOf({ issuer })).toEqual([
      `warn mcpAuth(): access tokens of issuer "${issuer}" will be refused: ${name} issues opaque access tokens, not JWTs. Check them with verifiers or introspection, or use an authorization server that issues JWT access tokens; users may log in there with ${name}.`,
    ]);
  });

  test.each(['https://accounts.google.com.example', 'https://token.actions.githubusercontent.com'])(
    'is another than %s',
    (issuer) => {
      expect(linesOf({ issuer })).toEqual([]);
    },
  );
});
