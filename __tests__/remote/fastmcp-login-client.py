"""FastMCP's client, which has a metadata document or registers: python fastmcp-login-client.py URL [DOCUMENT]. It opens the login in $BROWSER, calls a tool, refreshes its token, and calls the tool again."""

import asyncio
import sys

from fastmcp import Client
from fastmcp.client.auth import OAuth

url, document = (*sys.argv[1:], None)[:2]


async def main():
    auth = OAuth(client_metadata_url=document, callback_host="127.0.0.1")
    async with Client(url, auth=auth) as client:
        await client.call_tool("whoami", {})
        auth.context.token_expiry_time = 1
        print((await client.call_tool("whoami", {})).content[0].text)


asyncio.run(main())
