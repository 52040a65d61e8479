# syntax=docker/dockerfile:1
# The gateway with its page. It listens on every address of its container, so it wants a key before it starts:
#   docker build -t onetake .
#   export ONETAKE_ADMIN_KEY="$(openssl rand -hex 24)"; echo "$ONETAKE_ADMIN_KEY"
#   docker run -p 127.0.0.1:8484:8484 -v onetake:/data -e ONETAKE_ADMIN_KEY onetake
# Keys of providers are given the same way (-e OPENAI_API_KEY), never built in.

FROM node:26.10.0-slim AS build
WORKDIR /build
COPY . .
RUN npm run build

FROM node:26.10.0-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/core/package.json packages/core/
COPY packages/sandbox/package.json packages/sandbox/
COPY packages/gateway/package.json packages/gateway/
COPY packages/dashboard/package.json packages/dashboard/
# Nothing that it needs to run has a script to install by.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    --workspace @onetake/core --workspace @onetake/sandbox --workspace onetake

FROM node:26.10.0-slim
WORKDIR /app
ENV NODE_ENV=production ONETAKE_HOST=0.0.0.0 ONETAKE_PORT=8484 ONETAKE_DATA=/data
COPY --from=modules /app ./
COPY --from=build /build/packages/core/dist packages/core/dist
COPY --from=build /build/packages/sandbox/dist packages/sandbox/dist
COPY --from=build /build/packages/gateway/dist packages/gateway/dist
COPY --from=build /build/packages/gateway/page packages/gateway/page
COPY packages/gateway/bin packages/gateway/bin
COPY LICENSE ./
RUN install -d -o node -g node -m 700 /data
USER node
VOLUME /data
EXPOSE 8484
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.ONETAKE_PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Pictures in flight get up to five minutes to arrive when it is told to stop: "docker stop -t 330".
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--max-semi-space-size=16", "packages/gateway/bin/onetake.js"]
CMD ["start"]
