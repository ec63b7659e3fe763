// Compares the functions that require() and import give for one copy of the package.
const required = require('express-mcp-auth');

void import('express-mcp-auth').then((imported) => {
  const differing = Object.keys(imported).filter((name) => required[name] !== imported[name]);
  console.log(JSON.stringify({ names: Object.keys(required).length, differing }));
});
