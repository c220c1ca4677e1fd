/** How many ports after the wanted one are tried before any free one is taken. */
const NEIGHBOURS = 20;

/** Listens on the wanted port or the next free one. `listen` must reject with EADDRINUSE where a port is taken. */
export async function listenNear<Server>(
  wantedPort: number,
  listen: (port: number) => Promise<Server>,
): Promise<Server> {
  const last = Math.min(wantedPort + NEIGHBOURS, 65_535);
  for (let port = wantedPort; port <= last; port++) {
    try {
      return await listen(port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  return listen(0);
}
