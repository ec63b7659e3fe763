"""FastMCP's client as one user: python fastmcp-client.py URL TOKEN NAME"""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.auth import BearerAuth

url, token, name = sys.argv[1:]
progress = []


async def note(step, total, message):
    progress.append(step)


async def main():
    async with Client(url, auth=BearerAuth(token)) as client:
        tools = [tool.name for tool in await client.list_tools()]
        greeting = await client.call_tool("greet", {"name": name})
        found = {"tools": tools, "greeting": greeting.content[0].text}
        if "count" in tools:
            await client.call_tool("count", {"steps": 3}, progress_handler=note)
            found["progress"] = progress
        print(json.dumps(found))


asyncio.run(main())
