# The command in a container. docs/production.md says how to run it.
#
#   docker build -t express-mcp-auth .                 programs of Node (npx, node), and remote servers
#   docker build -t express-mcp-auth:uv --target uv .  also programs of Python (uvx)

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-fund --no-audit
COPY bundle.mjs tsconfig.base.json tsconfig.build.json ./
COPY src ./src
RUN npm run -s build
# Removes the tools that built it, and keeps a client for `store: { redis: URL }`.
RUN npm install --save-prod --omit=dev --no-fund --no-audit \
  "redis@$(node -p "require('./package.json').devDependencies.redis")"

FROM node:24-bookworm-slim AS runtime
# Programs leave processes behind. tini is process 1, and removes them when they end.
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY LICENSE ./
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
RUN ln -s /app/dist/gateway/cli.js /usr/local/bin/express-mcp-auth
# Programs keep their caches in the home directory. The only folder that is written to is /tmp.
ENV NODE_ENV=production HOME=/tmp
# The user `node` by number: Kubernetes cannot see that a name is not root.
USER 1000:1000
WORKDIR /config
EXPOSE 3000
# With --admin, at another address. Kubernetes has probes of its own.
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:15000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "express-mcp-auth"]
CMD ["-f", "/config/config.yaml"]

FROM runtime AS uv
USER 0:0
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 \
  && rm -rf /var/lib/apt/lists/*
COPY --from=ghcr.io/astral-sh/uv:0.13 /uv /uvx /usr/local/bin/
USER 1000:1000

# The last stage is what `docker build .` makes.
FROM runtime AS node
