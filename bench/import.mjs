import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './median.mjs';

// Compares the cost of `import` with that of Express: each in a new process, in random order; the median of the rounds counts.
// The project's own Express is used, so that nothing else need be installed.
const ROUNDS = Number(process.env.ROUNDS ?? 15);
const cwd = fileURLToPath(new URL('..', import.meta.url));
const PEER = 'express';
const NAMES = [PEER, 'express-mcp-auth', 'express-mcp-auth/testing'];

/** Measures CPU time too: its ratio also holds on a busy machine. */
function importOnce(name) {
  const program = `
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    await import(${JSON.stringify(name)});
    const { user, system } = process.cpuUsage(cpu);
    console.log(JSON.stringify({ wall: performance.now() - start, cpu: (user + system) / 1000 }));`;
  const options = { cwd, encoding: 'utf8' };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], options);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function shuffled(names) {
  return names
    .map((name) => ({ name, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ name }) => name);
}

for (const name of NAMES) importOnce(name); // from disk, so that every round reads from memory
const rounds = Array.from({ length: ROUNDS }, () =>
  Object.fromEntries(shuffled(NAMES).map((name) => [name, importOnce(name)])),
);

console.log(`Node ${process.versions.node}, ${ROUNDS} rounds\n`);
console.log(
  '| import | milliseconds | CPU milliseconds | of an import of Express | of its CPU time |\n|---|---|---|---|---|',
);
for (const name of NAMES) {
  const of = (what) => median(rounds.map((round) => round[name][what]));
  // Each round is compared with the Express of the same round: the machine's load is the same for both.
  const ratio = (what) => median(rounds.map((round) => round[name][what] / round[PEER][what]));
  const cells = [of('wall').toFixed(0), of('cpu').toFixed(0), ratio('wall').toFixed(2), ratio('cpu').toFixed(2)];
  console.log(`| ${[name, ...cells].join(' | ')} |`);
}
