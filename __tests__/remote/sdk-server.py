"""A server made with the Python SDK: greets, counts with progress, and asks."""

import os

from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel

server = MCPServer("python-sdk")


class Answer(BaseModel):
    name: str


@server.tool()
def greet(name: str) -> str:
    return f"Hi {name}"


@server.tool()
async def count(steps: int, ctx: Context) -> str:
    for step in range(1, steps + 1):
        await ctx.report_progress(step, steps)
    return str(steps)


@server.tool()
async def ask(ctx: Context) -> str:
    answer = await ctx.elicit("Who are you?", Answer)
    return f"It is {answer.data.name}"


server.run(transport="streamable-http", host="127.0.0.1", port=int(os.environ["PORT"]))
