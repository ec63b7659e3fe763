import { format } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { loadOidcProvider } from '../../src/gateway/dev-issuer/load-oidc-provider.js';
import { createRecordingLogger } from '../support/recording-logger.js';

test('hides one warning of oidc-provider and no other, and only while it loads', async () => {
  const warnings: string[] = [];
  const { warn } = console;
  const record = (...words: unknown[]) => void warnings.push(format(...words));
  console.warn = record;
  onTestFinished(() => {
    console.warn = warn;
  });
  const { lines, logger } = createRecordingLogger();
  const loaded = loadOidcProvider(logger);
  console.warn('%s meanwhile', 'another');
  const again = loadOidcProvider(logger);
  console.warn('oidc-provider WARNING: Unsupported runtime. Test.');
  await Promise.all([loaded, again]);
  expect(console.warn).toBe(record);
  console.warn('oidc-provider WARNING: Unsupported runtime. Afterwards.');
  expect(warnings).toEqual(['another meanwhile', 'oidc-provider WARNING: Unsupported runtime. Afterwards.']);
  expect(lines).toContain('debug oidc-provider WARNING: Unsupported runtime. Test.');
});
