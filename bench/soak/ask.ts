// One request over a real socket, heard out as its manner says, and what was to be seen of it from outside. The answer is
// read for three marks only: content, an error event, the end of the message.

import { request, type Agent, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Manner } from './tenants.ts';

export interface AskPlan {
  readonly port: number;
  readonly agent: Agent;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly manner: Manner;
}

export interface Seen {
  /** null: none came. */
  readonly status: number | null;
  /** The gateway's id of the exchange. */
  readonly gatewayId: string | null;
  readonly isStream: boolean;
  readonly sawContent: boolean;
  /**
   * `broken`: the body was cut, or ended without its end; `unanswered`: the connection failed before a head; `hung`: it was
   * given up after a time in which every answer ends.
   */
  readonly ending: 'whole' | 'error_event' | 'broken' | 'left' | 'unanswered' | 'hung';
}

const HUNG_AFTER_MS = 60_000;

/** Set when the caller goes away, which the reading then runs into. */
interface Leaving {
  how: 'left' | 'hung' | null;
}

export async function ask({ port, agent, path, headers, body, manner }: AskPlan): Promise<Seen> {
  const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers });
  const left: Leaving = { how: null };
  const leave = (how: NonNullable<Leaving['how']>): void => {
    left.how = how;
    outgoing.destroy();
  };
  const timers = [setTimeout(leave, HUNG_AFTER_MS, 'hung')];
  if (manner.kind === 'leaves_after') timers.push(setTimeout(leave, manner.ms, 'left'));
  try {
    const response = await sent(outgoing, body);
    return await hear(response, manner, left, () => leave('left'));
  } catch {
    const ending = left.how ?? 'unanswered';
    return { status: null, gatewayId: null, isStream: false, sawContent: false, ending };
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

function sent(outgoing: ReturnType<typeof request>, body: Uint8Array): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject); // stays: a request that is destroyed later tells it here too
    outgoing.once('response', resolve);
    outgoing.end(body);
  });
}

async function hear(response: IncomingMessage, manner: Manner, left: Leaving, leave: () => void): Promise<Seen> {
  const isStream = (response.headers['content-type'] ?? '').startsWith('text/event-stream');
  const marks = createMarks();
  const seen = (ending: Seen['ending']): Seen => ({
    status: response.statusCode ?? null,
    gatewayId: String(response.headers['x-slipstream-id'] ?? '') || null,
    isStream: isStream && response.statusCode === 200,
    sawContent: marks.contentEvents > 0,
    ending,
  });
  try {
    for await (const chunk of response) {
      marks.read(chunk as Buffer);
      if (manner.kind === 'leaves_after_content' && marks.contentEvents >= manner.events && !marks.isOver) leave();
      if (manner.kind === 'reads_slowly') await sleep(manner.pauseMs);
    }
  } catch {
    return seen(left.how ?? 'broken');
  }
  if (left.how) return seen(left.how);
  if (!isStream || marks.isWhole) return seen('whole');
  return seen(marks.isOver ? 'error_event' : 'broken');
}

/** Marks are looked for in whole lines, so that no split of the bytes hides one. */
function createMarks() {
  let rest = '';
  const marks = {
    contentEvents: 0,
    isWhole: false,
    isOver: false,
    read(chunk: Buffer): void {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('event: content_block_')) marks.contentEvents += 1;
        if (line.startsWith('event: message_stop')) marks.isWhole = true;
        if (line.startsWith('event: message_stop') || line.startsWith('event: error')) marks.isOver = true;
      }
    },
  };
  return marks;
}
