// The variables with which programs find the home directory, the language and their tools. People keep no secrets in them.
export const INHERITED_VARIABLES: readonly string[] = (
  process.platform === 'win32'
    ? 'APPDATA HOMEDRIVE HOMEPATH LOCALAPPDATA PATH PATHEXT PROCESSOR_ARCHITECTURE PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP USERNAME USERPROFILE'
    : 'HOME LANG LC_ALL LOGNAME PATH SHELL TERM TMPDIR TZ USER'
).split(' ');

/** Returns the part of our own environment that a child may see: the allow-list and the names in `inherit`, or everything (`true`). */
export function inheritedEnvironment(inherit: true | readonly string[]): Readonly<Record<string, string>> {
  // biome-ignore lint/style/noProcessEnv: the one place that reads the environment, to keep it from the child
  const own = process.env;
  const names = inherit === true ? Object.keys(own) : [...INHERITED_VARIABLES, ...inherit];
  const result: Record<string, string> = Object.create(null);
  for (const name of names) {
    const value = own[name];
    // bash exports functions as values that begin like this, and old shells run them (CVE-2014-6271).
    if (value !== undefined && !value.startsWith('()')) result[name] = value;
  }
  return result;
}
