import type { Environment } from '@marcbachmann/cel-js';
import type { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { RE2JS } from 're2js';
import { loadPackage } from '../../core/load-package.js';

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
    const load = (name: string) => loadPackage('a rule in CEL', name, 'npm install express-mcp-auth') as object;
    loaded = { ...load('@marcbachmann/cel-js/evaluator'), ...load('re2js') } as CelLibrary;
  }
  return loaded;
}
