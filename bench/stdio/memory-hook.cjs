// Loaded into every measured process: on SIGUSR2 it prints to stderr how much memory is in use after a full collection.
process.on('SIGUSR2', () => {
  for (let round = 0; round < 4; round++) global.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.stderr.write(`\nMEMORY ${heapUsed + external} ${rss}\n`);
});
