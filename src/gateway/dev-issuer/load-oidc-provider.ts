import type { Logger } from '../../index.js';
import { StartupError } from '../startup-error.js';

export type OidcProvider = typeof import('oidc-provider');

const RUNTIME_WARNING = 'oidc-provider WARNING: Unsupported runtime.';

let loading: Promise<OidcProvider> | undefined;

/**
 * Imports oidc-provider, once, without its warning that it is made for Node 22 and later: the issuer needs nothing that
 * Node 20 lacks, and a newcomer would think that the gateway had failed.
 *
 * @throws {StartupError} Where oidc-provider is not installed.
 */
export async function loadOidcProvider(logger: Logger): Promise<OidcProvider> {
  // Two imports at once would restore `console.warn` in the wrong order.
  loading ??= withRuntimeWarningAt(logger, () => import('oidc-provider'));
  try {
    return await loading;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const message = '--dev-issuer needs the package oidc-provider: npm install --save-dev oidc-provider';
    throw new StartupError(message, { cause: error });
  }
}

/** The library writes the line with `console.warn` while it is imported, in colour on a terminal, and has no option for it. */
async function withRuntimeWarningAt<T>(logger: Logger, load: () => Promise<T>): Promise<T> {
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
