// What programs need to find their home, their language and their tools; nothing that people put secrets in.
const ALLOWED =
  process.platform === 'win32'
    ? 'APPDATA HOMEDRIVE HOMEPATH LOCALAPPDATA PATH PATHEXT PROCESSOR_ARCHITECTURE PROGRAMFILES SYSTEMDRIVE SYSTEMROOT TEMP USERNAME USERPROFILE'
    : 'HOME LANG LC_ALL LOGNAME PATH SHELL TERM TMPDIR TZ USER';

/** The part of our own environment that a child may see: the allow-list, what `inherit` adds, or all of it. */
export function inheritedEnvironment(inherit: true | readonly string[]): Readonly<Record<string, string>> {
  // biome-ignore lint/style/noProcessEnv: the one place that reads the environment, to keep it from the child
  const own = process.env;
  const names = inherit === true ? Object.keys(own) : [...ALLOWED.split(' '), ...inherit];
  const result: Record<string, string> = Object.create(null);
  for (const name of names) {
    const value = own[name];
    // A value that begins so is a function that bash exports; old shells run it (CVE-2014-6271).
    if (value !== undefined && !value.startsWith('()')) result[name] = value;
  }
  return result;
}
