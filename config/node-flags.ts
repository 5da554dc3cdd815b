/**
 * How Node runs the API and the workers. They are scaled out by processes, so each gets along with
 * one core: no helper threads of the garbage collector, which would take it from their neighbours,
 * and a young generation so large that what a batch allocates is dead before it is collected.
 * `NODE_OPTIONS` does not take them; docker-compose.yml and the Dockerfile state them, too.
 */
export const NODE_FLAGS: readonly string[] = [
  '--single-threaded-gc',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
];
