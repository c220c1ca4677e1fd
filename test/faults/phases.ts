import { textOf } from '../support/cache-bodies.ts';
import { eventually } from '../support/eventually.ts';
import { ACME_KEY } from '../support/gateway-under-test.ts';
import { requestBytes, type RawClient } from '../support/raw-client.ts';
import {
  answering,
  apiError,
  chunk,
  events,
  EVENTS,
  headOf,
  JSON_ANSWER,
  JSON_HEAD,
  LAST_CHUNK,
  lastly,
  over,
  PROMPT_WORD,
  sending,
  SSE_HEAD,
  stay,
  stream,
  WHOLE_STREAM,
  withLength,
} from './answers.ts';
import {
  asking,
  DEADLINE_MS,
  FINE,
  type FaultStage,
  type FaultStageOptions,
  type Kind,
  type Plans,
} from './fault-stage.ts';
import { type RawAttempt, SILENT } from './raw-upstream.ts';

/** The points of a request's life: how to bring one there, and what is left to do for its upstream. */
export interface Phase {
  readonly name: string;
  readonly plans: Plans;
  readonly options?: FaultStageOptions;
  /** Brings a request to this point, and hands out its client. */
  reach(stage: FaultStage): Promise<RawClient>;
  /** Whose call the upstream is busy with: the request's own, that of another before it, or none. */
  readonly call: 'own' | 'another’s' | 'none';
  /** Says what is left of the answer to the call that is open. */
  finish(attempt: RawAttempt): void;
  /** What a caller who stays has got in the end. */
  readonly whole: string;
  /** Whether the caller has been sent a head by then. */
  readonly isAnswered: boolean;
  /** Whether something of what it has used is known by then; `none`: it will have used nothing. */
  readonly usage: 'known' | 'unknown' | 'none';
}

const streamIsOpen = (stage: FaultStage): Promise<void> =>
  eventually(
    'the stream is open',
    DEADLINE_MS,
    async () => (await stage.metrics()).sum('slipstream_open_streams') === 1,
  );

async function waits(stage: FaultStage, scope: 'tenant' | 'upstream'): Promise<void> {
  await eventually(`one waits for a slot of the ${scope}`, DEADLINE_MS, async () => {
    return (await stage.metrics()).sum('slipstream_queue_depth', { scope }) === 1;
  });
}

async function behindAnother(stage: FaultStage, parts = asking('stream')): Promise<RawClient> {
  await stage.send(parts);
  await stage.upstream.attempt(0);
  return stage.send(parts);
}

const restOf =
  (count: number) =>
  (attempt: RawAttempt): void => {
    attempt.write(chunk(EVENTS.slice(count).join('')));
    over(attempt);
  };

const wholeStream = (attempt: RawAttempt): void => {
  attempt.write(SSE_HEAD);
  restOf(0)(attempt);
};

/** A prompt that is worth caching: another like it waits until the first has written it. */
export const LONG_PROMPT = asking('stream', {
  body: JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 64,
    stream: true,
    system: textOf('A manual that all of them ask about.', 20_000),
    messages: [{ role: 'user', content: PROMPT_WORD }],
  }),
});

/** Nothing of it has gone upstream: what is there is another's, and ends well. */
const BEHIND_ANOTHER = {
  call: 'another’s',
  finish: wholeStream,
  whole: WHOLE_STREAM,
  isAnswered: false,
  usage: 'none',
} as const;

export const BEFORE_THE_CALL: readonly Phase[] = [
  {
    name: 'in the line for a slot of its tenant',
    plans: [SILENT],
    options: { tenant: 'maxConcurrency: 1' },
    async reach(stage) {
      const client = await behindAnother(stage);
      await waits(stage, 'tenant');
      return client;
    },
    ...BEHIND_ANOTHER,
  },
  {
    name: 'in the line of the upstream',
    plans: [SILENT],
    options: { upstream: 'maxConcurrency: 1' },
    async reach(stage) {
      const client = await behindAnother(stage);
      await waits(stage, 'upstream');
      return client;
    },
    ...BEHIND_ANOTHER,
  },
  {
    name: 'while another writes the prefix that it will read',
    plans: [SILENT],
    options: { cache: 'maxHold: 60s' },
    async reach(stage) {
      const client = await behindAnother(stage, LONG_PROMPT);
      await eventually('both have a slot', DEADLINE_MS, () => stage.tenantCounts().inUse === 2);
      return client;
    },
    ...BEHIND_ANOTHER,
  },
  {
    name: 'in the wait before it is asked again',
    plans: [answering(withLength(529, apiError('overloaded_error'), { 'retry-after': '20' })), FINE.stream],
    async reach(stage) {
      const client = await stage.send();
      await eventually('the first call has failed', DEADLINE_MS, async () => {
        return (await stage.metrics()).sum('slipstream_upstream_attempts_total', { outcome: 'overloaded' }) === 1;
      });
      return client;
    },
    call: 'none',
    finish: () => {},
    whole: WHOLE_STREAM,
    isAnswered: false,
    usage: 'none',
  },
];

type Sent = Pick<Phase, 'name' | 'isAnswered' | 'usage'> & {
  readonly kind?: Kind;
  readonly bytes: string | Buffer;
  /** The gateway, or its caller, has what was sent. */
  arrived?(stage: FaultStage, client: RawClient): Promise<unknown>;
  readonly finish: (attempt: RawAttempt) => void;
  readonly whole?: string;
};

/** The upstream has said so much of its answer, and the caller has what could be passed on. */
function during({ kind = 'stream', bytes, arrived, finish, ...rest }: Sent): Phase {
  return {
    whole: kind === 'stream' ? WHOLE_STREAM : JSON_ANSWER,
    ...rest,
    plans: [sending(bytes, stay), FINE[kind]],
    async reach(stage) {
      const client = await stage.send(asking(kind));
      await stage.upstream.attempt(0);
      await arrived?.(stage, client);
      return client;
    },
    call: 'own',
    finish,
  };
}

function behindEvents(name: string, count: number, half = ''): Phase {
  const text = events(count) + half;
  const left = EVENTS.slice(count).join('').slice(half.length);
  return during({
    name,
    bytes: stream(text),
    arrived: (_stage, client) => client.body('what has come arrives', (body) => body === text),
    finish(attempt) {
      if (left) attempt.write(chunk(left));
      over(attempt);
    },
    isAnswered: true,
    usage: 'known',
  });
}

const LONG_MESSAGE = `{"x":"${'x'.repeat(1024 * 1024)}",${JSON_ANSWER.slice(1)}`;
const LONG_HALF_BYTES = LONG_MESSAGE.length - 40;
const ERROR = apiError('overloaded_error');

export const DURING_THE_CALL: readonly Phase[] = [
  during({ name: 'before the head', bytes: '', finish: wholeStream, isAnswered: false, usage: 'unknown' }),
  during({
    name: 'within the head',
    bytes: SSE_HEAD.slice(0, 30),
    finish(attempt) {
      attempt.write(SSE_HEAD.slice(30));
      restOf(0)(attempt);
    },
    isAnswered: false,
    usage: 'unknown',
  }),
  during({
    name: 'behind the head of a stream',
    bytes: SSE_HEAD,
    arrived: streamIsOpen,
    finish: restOf(0),
    isAnswered: false,
    usage: 'unknown',
  }),
  during({
    name: 'behind message_start, which is held back',
    bytes: stream(events(1)),
    arrived: streamIsOpen,
    finish: restOf(1),
    isAnswered: false,
    usage: 'known',
  }),
  behindEvents('behind content_block_start', 2),
  behindEvents('within an event', 2, (EVENTS[2] ?? '').slice(0, 40)),
  behindEvents('behind the text', 3),
  behindEvents('behind message_delta', 5),
  behindEvents('behind message_stop, before the end of the transfer', 6),
  during({
    name: 'before the head of a message',
    kind: 'json',
    bytes: '',
    finish: lastly(withLength(200, JSON_ANSWER)),
    isAnswered: false,
    usage: 'unknown',
  }),
  during({
    name: 'within a message, which is held back',
    kind: 'json',
    bytes: JSON_HEAD + chunk(JSON_ANSWER.slice(0, 40)).toString(),
    finish: lastly(chunk(JSON_ANSWER.slice(40)).toString() + LAST_CHUNK),
    isAnswered: false,
    usage: 'unknown',
  }),
  during({
    name: 'within a message too long to be held back',
    kind: 'json',
    bytes: JSON_HEAD + chunk(LONG_MESSAGE.slice(0, LONG_HALF_BYTES)).toString(),
    arrived: (_stage, client) => client.body('its first MiB arrives', (text) => text.length === LONG_HALF_BYTES),
    finish: lastly(chunk(LONG_MESSAGE.slice(LONG_HALF_BYTES)).toString() + LAST_CHUNK),
    whole: LONG_MESSAGE,
    isAnswered: true,
    usage: 'unknown',
  }),
  during({
    name: 'within an error, which is held back',
    bytes: headOf(529, { 'content-length': String(ERROR.length) }) + ERROR.slice(0, 20),
    finish: lastly(ERROR.slice(20)),
    whole: ERROR,
    isAnswered: false,
    usage: 'none',
  }),
];

/** What is sent of a request that never becomes whole. */
export const DURING_THE_REQUEST: readonly (readonly [name: string, bytes: string | Buffer, isRequest: boolean])[] =
  (() => {
    const whole = requestBytes(asking('stream'));
    const bodyAt = whole.indexOf('\r\n\r\n') + 4;
    const chunked = requestBytes({
      headers: { 'x-api-key': ACME_KEY, 'content-length': '', 'transfer-encoding': 'chunked' },
    });
    return [
      ['before it says anything', '', false],
      ['within the request line', whole.subarray(0, 9), false],
      ['within a header', whole.subarray(0, bodyAt - 12), false],
      ['before the end of the head', whole.subarray(0, bodyAt - 2), false],
      ['behind the head', whole.subarray(0, bodyAt), true],
      ['within the body', whole.subarray(0, bodyAt + 20), true],
      ['before the last byte of the body', whole.subarray(0, whole.length - 1), true],
      ['within a chunk of the body', Buffer.concat([chunked, Buffer.from('20\r\n{"model":')]), true],
      ['before the last chunk of the body', Buffer.concat([chunked, Buffer.from('2\r\n{}\r\n')]), true],
    ];
  })();
