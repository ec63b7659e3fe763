"""The Python SDK's client with a metadata document: python sdk-document-client.py URL DOCUMENT. It prints where to log in, calls a tool, refreshes its token, and calls the tool again."""

import asyncio
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

url, document = sys.argv[1:]


class Memory:
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Callback(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.answer = {name: value for name, [value] in parse_qs(urlparse(self.path).query).items()}
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


callbacks = HTTPServer(("127.0.0.1", 0), Callback)


async def visit(login):
    print(login, flush=True)


async def called_back():
    await asyncio.to_thread(callbacks.handle_request)
    return AuthorizationCodeResult(**callbacks.answer)


async def main():
    metadata = OAuthClientMetadata(
        client_name="Test client",
        redirect_uris=[f"http://127.0.0.1:{callbacks.server_port}/callback"],
        token_endpoint_auth_method="none",
    )
    provider = OAuthClientProvider(url, metadata, Memory(), visit, called_back, client_metadata_url=document)
    async with create_mcp_http_client(auth=provider) as http, Client(streamable_http_client(url, http_client=http)) as client:
        await client.call_tool("whoami", {})
        provider.context.token_expiry_time = 1
        print((await client.call_tool("whoami", {})).content[0].text)


asyncio.run(main())
