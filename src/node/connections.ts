import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The open connections of a server: which answers each of them owes, and since when it has been quiet. A server that
 * goes away must not close a kept-alive connection just as a request arrives on it: the client cannot tell whether that
 * request was taken, and repeats it only where the method allows it (RFC 9112 §9.3.1, §9.6). So it says with its last
 * answers that they are the last, and closes without one only what has been quiet for a while.
 */
export interface Connections {
  readonly count: number;
  add(socket: Socket): void;
  owe(outgoing: ServerResponse): void;
  /** False once a head has gone out: what is written by hand now would be read as a part of that answer. */
  mayRefuse(socket: Socket): boolean;
  /** From now on each answer ends its connection and says so, unless its head has left already. */
  makeAnswersLast(): void;
  /** Closes those that owe nothing and on which nothing has come in for so long. Needs two looks to see a pause. */
  closeQuiet(quietMs: number): void;
  /** Ends all of them now, and each that is still added; returns how many there were. */
  cut(): number;
}

interface Held {
  readonly owed: Set<ServerResponse>;
  quietSinceMs: number;
  /** null: nobody has looked yet. */
  bytesSeen: number | null;
}

export function createConnections(nowMs: () => number = () => performance.now()): Connections {
  const held = new Map<Socket, Held>();
  let areAnswersLast = false;
  let isCut = false;

  const isQuiet = (socket: Socket, holding: Held, quietMs: number): boolean => {
    const { bytesSeen } = holding;
    holding.bytesSeen = socket.bytesRead;
    if (bytesSeen === null) return false;
    if (bytesSeen !== socket.bytesRead) holding.quietSinceMs = nowMs();
    return holding.owed.size === 0 && nowMs() - holding.quietSinceMs >= quietMs;
  };

  return {
    get count() {
      return held.size;
    },
    add(socket) {
      held.set(socket, { owed: new Set(), quietSinceMs: nowMs(), bytesSeen: null });
      socket.on('close', () => held.delete(socket));
      if (isCut) socket.destroy();
    },
    owe(outgoing) {
      const holding = held.get(outgoing.req.socket);
      if (!holding) return;
      holding.owed.add(outgoing);
      if (areAnswersLast) makeLast(outgoing);
      outgoing.on('close', () => {
        holding.owed.delete(outgoing);
        holding.quietSinceMs = nowMs();
      });
    },
    mayRefuse: (socket) => ![...(held.get(socket)?.owed ?? [])].some(({ headersSent }) => headersSent),
    makeAnswersLast() {
      areAnswersLast = true;
      for (const { owed } of held.values()) for (const outgoing of owed) makeLast(outgoing);
    },
    closeQuiet(quietMs) {
      for (const [socket, holding] of held) if (isQuiet(socket, holding, quietMs)) socket.destroy();
    },
    cut() {
      isCut = true;
      const count = held.size;
      for (const [socket, { owed }] of held) {
        if ([...owed].some(endsWithConnection)) socket.resetAndDestroy();
        else socket.destroy();
      }
      return count;
    },
  };
}

function makeLast(outgoing: ServerResponse): void {
  if (!outgoing.headersSent) outgoing.shouldKeepAlive = false;
}

/** To HTTP/1.0 a FIN is the proper end of an answer, and only a RST says that there should have been more. */
function endsWithConnection(outgoing: ServerResponse): boolean {
  return outgoing.req.httpVersionMinor === 0 && outgoing.headersSent;
}
