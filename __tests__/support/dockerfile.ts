import { existsSync, readFileSync } from 'node:fs';
import { ROOT } from './program.js';

/** One instruction of a Dockerfile: `COPY`, and the rest of its lines. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
  /** The name of the stage in which it is. */
  readonly stage: string;
}

/** Reads a Dockerfile of the repository. */
export function instructionsOf(file: string): readonly Instruction[] {
  const text = readFileSync(ROOT + file, 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  let stage = '';
  return [...text.matchAll(/^([A-Z]+) (.*)$/gm)].map(([, name = '', rest = '']) => {
    if (name === 'FROM') stage = / AS (\w+)$/.exec(rest)?.[1] ?? '';
    return { name, text: rest.trim(), stage };
  });
}

/** The names that `.dockerignore` lets into the context of a build. It leaves out everything else. */
export function namesInContext(): readonly string[] {
  const [first, ...others] = readFileSync(`${ROOT}.dockerignore`, 'utf8')
    .replace(/^#.*\n/gm, '')
    .trim()
    .split('\n');
  if (first !== '*') throw new Error('.dockerignore does not begin with *');
  return others.map((line) => line.replace(/^!/, '')).filter((name) => existsSync(ROOT + name));
}
