import nodeModule from 'node:module';
import { resolve } from 'node:path';

/**
 * Loads a package when it is needed: with `import`, every application would wait for it, and `import()` does not return it at once.
 *
 * @param who The function or the entry point that needs the package.
 * @param remedy What to do if it is not installed.
 * @throws {Error} If it cannot be found: it is not installed, or this file is in a bundle, into which bundlers do not put such packages.
 */
export function loadPackage(who: string, name: string, remedy: string): unknown {
  const file = ownFile();
  try {
    // Not imported by its name: webpack would replace the function, and what it returns.
    return nodeModule.createRequire(file ?? resolve('index.js'))(name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause;
    throw new Error(`${who} needs the package ${name}: ${remedy}. ${BUNDLED}`, { cause });
  }
}

/** Says what to do in a bundle. */
export const BUNDLED =
  'If this program is bundled, leave express-mcp-auth out of the bundle and install it beside it: see "Bundlers" in docs/commonjs.md.';

/** Returns this file, as a URL or a path; undefined in code that runs by `eval`, as in webpack's development builds. Not by `import.meta`: Babel, with which Jest turns this package into CommonJS, cannot convert it. */
function ownFile(): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.prepareStackTrace = (_error, [site]) => site?.getFileName();
    // An application may have turned stacks off.
    Error.stackTraceLimit = 1;
    return new Error('for its stack').stack;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
