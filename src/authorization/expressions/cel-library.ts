import { createRequire } from 'node:module';
import type { Environment } from '@marcbachmann/cel-js';
import type { RE2JS } from 're2js';

/** The packages that expressions need. */
export interface CelLibrary {
  readonly Environment: typeof Environment;
  readonly RE2JS: typeof RE2JS;
}

const require = createRequire(import.meta.url);
let loaded: CelLibrary | undefined;

/**
 * Loads the packages with the first expression. Not with `import`, which would make every application wait for them; and not with
 * `import()`, since a wrong expression must be refused when the middleware is created.
 */
export function loadCelLibrary(): CelLibrary {
  loaded ??= { ...require('@marcbachmann/cel-js'), ...require('re2js') } as CelLibrary;
  return loaded;
}
