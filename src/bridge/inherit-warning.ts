import { type InheritedVariables, withheldVariables } from '../targets/stdio/child-environment.js';

/**
 * Returns the warnings to log at construction: if a child sees every variable of this process, and for variables that it does not get
 * because there may be a password in them.
 *
 * @param path The option whose member `inheritEnv` is, with a dot; empty for the argument itself.
 */
export function inheritWarning(inherited: InheritedVariables, path = ''): string[] {
  if (inherited.inheritEnv === true) {
    return [
      `${path}inheritEnv is true, so the child sees every variable of this process, secrets included: list the variables that it needs`,
    ];
  }
  return withheldVariables(inherited).map(
    (name) =>
      `the child does not get ${name}, whose URL has a user name or a password: name it in ${path}inheritEnv to pass it on`,
  );
}
