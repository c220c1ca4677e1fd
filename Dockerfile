# Two stages, so that npm's cache and the lock file's tooling stay out of the image that runs.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing that is left without the devDependencies has a script to run.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8787
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY src ./src
# `node`, by its number: Kubernetes does not believe a name that it is not root.
USER 1000:1000
EXPOSE 8787
# SIGTERM drains: not ready, nothing new, open answers finish up to limits.drain; then exit 0.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# A larger initial old space spares the mark-compacts that 1 MB bodies trigger (not allowed in NODE_OPTIONS).
CMD ["node", "--initial-old-space-size=512", "src/node/cli.ts", "start"]
