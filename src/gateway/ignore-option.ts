/** The option `--ignore` of the commands that read a configuration file, for `parseArgs()`. */
export const IGNORE_OPTION = { ignore: { type: 'string', multiple: true } } as const;

/** The names given to `--ignore`, which may be there several times. */
export function parseIgnored({ ignore = [] }: { readonly ignore?: readonly string[] | undefined }): readonly string[] {
  return ignore.flatMap((names) => names.split(',')).filter((name) => name !== '');
}
