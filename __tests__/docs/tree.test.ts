import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../support/program.js';

const contributing = readFileSync(`${ROOT}CONTRIBUTING.md`, 'utf8');
const [, tree = ''] = /^src\/$([\s\S]*?)^__tests__/m.exec(contributing) ?? [];

/** `├── a.ts  b.ts   what they are` below `├── room/` names room/a.ts and room/b.ts. */
function filesIn(text: string): string[] {
  let room = '';
  return text.split('\n').flatMap((line) => {
    const [, indent = '', names = ''] = /^([│ ]*)[├└]── (.*)$/.exec(line) ?? [];
    if (indent === '') room = /^([a-z-]+\/)/.exec(names)?.[1] ?? '';
    const files = names.split(/ {3,}/)[0]?.match(/[\w-]+\.ts/g) ?? [];
    return files.map((file) => room + file);
  });
}

test('the tree names every file of src/, and none that is not there', () => {
  const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src'], { cwd: ROOT });
  const files = tracked
    .toString()
    .trim()
    .split('\n')
    .map((file) => file.slice('src/'.length));
  expect(filesIn(tree).toSorted()).toEqual(files.toSorted());
});

test.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/errors.md', 'docs/providers.md', '.ci/run'])(
  'every script and file that %s names is there',
  (file) => {
    const text = readFileSync(ROOT + file, 'utf8');
    const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/(?:npm run|^suite) ([\w:]+)/gm)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    const folder = `${ROOT}${file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : ''}/`;
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
    expect(links.filter((path) => !existsSync(folder + path))).toEqual([]);
  },
);
