docker build -t express-mcp-auth .
docker run --rm --read-only --tmpfs /tmp:exec --cap-drop ALL --security-opt no-new-privileges \
  -p 127.0.0.1:3000:3000 -v ./mcp:/config:ro express-mcp-auth
