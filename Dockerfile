# One file for every service: docker build --build-arg APP=gateway|planner|executor|auditor|standalone .
# The standalone server keeps its data in /data, the services theirs in Postgres.
# The entry point ends with 1 and one message when a required setting is missing or a setting is wrong.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --loglevel=error

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --loglevel=error
COPY . .
RUN npm run --silent build:run

FROM node:24-bookworm-slim
ENV NODE_ENV=production FOLDWORK_HTTP_HOST=0.0.0.0 FOLDWORK_DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/dist dist
RUN mkdir /data && chown node:node /data
# Only from here on the images differ: they share the layers above, which are all of their size.
ARG APP
ENV APP=$APP
RUN test -f "dist/apps/$APP/src/main.js" || { echo 'Say which app to build: --build-arg APP=gateway' >&2; exit 1; }
USER node
ENTRYPOINT ["/bin/sh", "-c", "exec node dist/apps/$APP/src/main.js"]
