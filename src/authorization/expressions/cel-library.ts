import { createRequire } from 'node:module';
import type { Environment } from '@marcbachmann/cel-js';
import type { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { RE2JS } from 're2js';

/** The packages that expressions need. */
export interface CelLibrary {
  readonly Environment: typeof Environment;
  /** The value of `1u`. */
  readonly UnsignedInt: typeof UnsignedInt;
  readonly Duration: typeof Duration;
  readonly RE2JS: typeof RE2JS;
}

let loaded: CelLibrary | undefined;

/**
 * Loads the packages with the first expression. Not with `import`, which would make every application wait for them; and not with
 * `import()`, since a wrong expression must be refused when the middleware is created.
 */
export function loadCelLibrary(): CelLibrary {
  if (loaded === undefined) {
    const require = createRequire(ownFile());
    loaded = { ...require('@marcbachmann/cel-js/evaluator'), ...require('re2js') } as CelLibrary;
  }
  return loaded;
}

/** Returns this file, as a URL or a path. Not by `import.meta`: Babel, with which Jest turns this package into CommonJS, cannot convert it. */
function ownFile(): string {
  const { prepareStackTrace } = Error;
  try {
    Error.prepareStackTrace = (_error, [site]) => site?.getFileName();
    return new Error('for its stack').stack as string;
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
}
