"""An MCP server in Python, behind samples/remote-backend.ts or samples/remote/config.yaml: pip install fastmcp"""

import os

from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token

gateway = os.environ.get("GATEWAY", "http://localhost:3000")
port = int(os.environ.get("PORT", "8000"))

# The tokens that say who is calling. No other request is answered.
auth = JWTVerifier(
    jwks_uri=f"{gateway}/.well-known/express-mcp-auth/caller-jwks.json",
    issuer=f"{gateway}/callers",
    audience=f"http://localhost:{port}/mcp",
    algorithm="ES256",
)
mcp = FastMCP("notes", auth=auth)


@mcp.tool
def whoami() -> str:
    """Says who is calling."""
    token = get_access_token()
    return f"{token.claims.get('sub', 'a program')}, with {token.client_id}, may {' '.join(token.scopes)}"


if __name__ == "__main__":
    mcp.run(transport="http", host="127.0.0.1", port=port)
