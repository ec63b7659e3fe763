import { readFileSync } from 'node:fs';

/** The section of docs/errors.md about a code. */
export interface ErrorHelp {
  readonly anchor: string;
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

/** Reads the sections of docs/errors.md of this package, by code. Empty if the file is missing, as in a bundle. */
export function readErrorHelp(): ReadonlyMap<string, ErrorHelp> {
  return new Map(sections().map((section) => [section.title, section]));
}

function sections(): readonly ErrorHelp[] {
  let markdown: string;
  try {
    // From src/admin/, dist/admin/ and dist/chunks/ alike. In a bundle of CommonJS there is no `import.meta.url`.
    markdown = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  } catch {
    // Without explanations, the page still shows the codes.
    return [];
  }
  return markdown.split(/^(?=##+ )/m).flatMap((section) => {
    const [, title, text = ''] = /^### `([a-z_]+)`\n+([\s\S]*)$/.exec(section) ?? [];
    return title === undefined ? [] : [{ anchor: title, title, text: text.trim() }];
  });
}
