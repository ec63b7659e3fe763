"""A server made with FastMCP: greets, counts with progress, and asks."""

import os

from fastmcp import Context, FastMCP

server = FastMCP("fastmcp")


@server.tool
def greet(name: str) -> str:
    return f"Hi {name}"


@server.tool
async def count(steps: int, ctx: Context) -> str:
    for step in range(1, steps + 1):
        await ctx.report_progress(step, steps)
    return str(steps)


@server.tool
async def ask(ctx: Context) -> str:
    answer = await ctx.elicit("Who are you?", response_type=str)
    return f"It is {answer.data}"


server.run(transport="http", host="127.0.0.1", port=int(os.environ["PORT"]), show_banner=False)
