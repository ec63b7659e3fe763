import { readFileSync } from 'node:fs';

/** Returns the version of this package. Empty if its package.json is missing, as in a bundle. */
export function packageVersion(): string {
  try {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    return (JSON.parse(manifest) as { readonly version: string }).version;
  } catch {
    // The version is only shown.
    return '';
  }
}
