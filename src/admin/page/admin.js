const page = document.getElementById('page');
const { version } = await (await fetch('api/state')).json();
if (page !== null) page.textContent = `express-mcp-auth ${version}`;
