import request, { type Response } from 'supertest';
import { createApiKey } from '../../src/oauth/api-key.js';
import type { ApiKey } from '../../src/policy/credential-options.js';
import { createProtectedApp, type ProtectedApp } from './protected-app.js';

/** A new key, and its entry for `apiKeys`. */
export function makeKey(known: Omit<ApiKey, 'sha256'> = {}): { readonly key: string; readonly entry: ApiKey } {
  const { key, sha256 } = createApiKey();
  return { key, entry: { sha256, ...known } };
}

export interface AppWithKeys extends ProtectedApp {
  /** GET /mcp with these headers. */
  withHeaders(headers: Readonly<Record<string, string | readonly string[]>>, path?: string): Promise<Response>;
}

/** A protected app with API keys. */
export function createAppWithKeys(apiKeys: unknown, changes: Record<string, unknown> = {}): AppWithKeys {
  const protectedApp = createProtectedApp({ apiKeys, ...changes });
  const withHeaders: AppWithKeys['withHeaders'] = async (headers, path = '/mcp') =>
    request(protectedApp.app)
      .get(path)
      .set(headers as Record<string, string>);
  return { ...protectedApp, withHeaders };
}
