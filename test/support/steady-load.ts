import { Agent, request, type IncomingMessage } from 'node:http';
import { ACME_KEY } from './gateway-under-test.ts';

/**
 * Callers who ask again as soon as they are answered, and never ask twice for the same: a request that is lost shows as
 * a failure. Each has at most one connection, so that a kept-alive one is never left lying.
 */
export interface SteadyLoad {
  readonly answers: number;
  readonly failures: readonly string[];
  /** No further requests; resolves when every caller has its last answer. */
  stop(): Promise<void>;
}

export interface Caller {
  readonly stream: boolean;
  readonly keepAlive: boolean;
  readonly maxTokens: number;
}

export function startSteadyLoad(port: number, callers: readonly Caller[]): SteadyLoad {
  const failures: string[] = [];
  let answers = 0;
  const stopped = new AbortController();
  const run = async (caller: Caller, index: number): Promise<void> => {
    const agent = new Agent({ keepAlive: caller.keepAlive, maxSockets: 1 });
    for (let count = 0; !stopped.signal.aborted; count++) {
      const fault = await ask(port, agent, caller, `caller ${index}, question ${count}`);
      if (fault !== null) failures.push(`caller ${index}, request ${count}: ${fault}`);
      answers += 1;
    }
    agent.destroy();
  };
  const finished = Promise.all(callers.map(run));
  return {
    get answers() {
      return answers;
    },
    failures,
    async stop() {
      stopped.abort();
      await finished;
    },
  };
}

/** What is wrong with the answer, or null. */
function ask(port: number, agent: Agent, { stream, maxTokens }: Caller, content: string): Promise<string | null> {
  const messages = [{ role: 'user', content }];
  const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: maxTokens, stream, messages });
  const headers = {
    'x-api-key': ACME_KEY,
    'anthropic-version': '2023-06-01',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/v1/messages', headers });
    sent.on('error', (error) => resolve(`no answer: ${error.message}`));
    sent.on('response', (answer) => {
      read(answer).then(
        (text) => resolve(faultOf(answer.statusCode ?? 0, text, stream)),
        (error: unknown) => resolve(`broken off: ${String(error)}`),
      );
    });
    sent.end(body);
  });
}

async function read(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return text;
}

function faultOf(status: number, text: string, stream: boolean): string | null {
  if (status !== 200) return `${status}: ${text}`;
  const isWhole = stream
    ? text.includes('event: message_stop') && !text.includes('event: error')
    : (JSON.parse(text) as { type?: unknown }).type === 'message';
  return isWhole ? null : `not whole: ${text.slice(-200)}`;
}
