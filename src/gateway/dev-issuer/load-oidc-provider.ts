import type { Logger } from '../../index.js';
import { StartupError } from '../startup-error.js';

export type OidcProvider = typeof import('oidc-provider');

const RUNTIME_WARNING = 'oidc-provider WARNING: Unsupported runtime.';

let loading: Promise<OidcProvider> | undefined;

/**
 * Imports oidc-provider once, and hides its warning that it supports only Node 22 and later: the issuer works on Node 20,
 * and the warning looks as if the gateway had failed.
 *
 * @throws {StartupError} If oidc-provider is not installed.
 */
export async function loadOidcProvider(logger: Logger): Promise<OidcProvider> {
  // Two imports at once would restore `console.warn` in the wrong order.
  loading ??= withoutRuntimeWarning(logger, () => import('oidc-provider'));
  try {
    return await loading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const message = '--dev-issuer needs the package oidc-provider: npm install --save-dev oidc-provider';
    throw new StartupError(message, { cause: error });
  }
}

/** oidc-provider writes the warning with `console.warn` during its import. No option turns it off. */
async function withoutRuntimeWarning<T>(logger: Logger, load: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = (...args: unknown[]) => {
    const [line] = args;
    if (typeof line === 'string' && line.includes(RUNTIME_WARNING)) logger.debug(line);
    else warn.apply(console, args);
  };
  try {
    return await load();
  } finally {
    console.warn = warn;
  }
}
