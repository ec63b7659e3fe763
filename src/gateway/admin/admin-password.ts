import { resolveText, type TextSource } from '../config/text-source.js';
import type { InputFiles } from '../input-files.js';
import { StartupError } from '../startup-error.js';

/** Characters. The page can call tools, and a guess costs an attacker little. */
const MIN_PASSWORD = 12;

/**
 * Returns the password of the page. The message does not quote it.
 *
 * @throws {StartupError} If it is too short, or its file cannot be read.
 */
export function resolveAdminPassword(source: TextSource | undefined, files: InputFiles): string | undefined {
  if (source === undefined) return undefined;
  const read = () => {
    const password = resolveText(source, files);
    if (password.length >= MIN_PASSWORD) return password;
    throw new StartupError(
      `the password of the admin page (--admin-password-file or config.adminPassword) must have at least ${MIN_PASSWORD} characters`,
    );
  };
  return files.use(read, () => '');
}
