/**
 * The gateway's promises are one set of tests, run on Node and on workerd. What follows is left out on workerd, and why.
 * A gap is a reason that somebody can check; a test that merely fails is none.
 */
export interface Gap {
  readonly file: string;
  /** What its full title begins with; every test of the file where there is none. */
  readonly titles?: readonly string[];
  readonly reason: string;
}

const HTTP_OF_THE_EDGE = 'the edge reads HTTP/1: what is none, or is sent in one go, never comes to a worker as such';
const OWN_TIMER = 'an isolate pushes its figures by a timer of its own, so that there always is one';
const NO_TRAILERS = 'an answer of a worker has no trailers';
const UNSEEN = 'a reset that follows its request at once takes the request with it: workerd has read nothing yet';
const UNREAD = 'workerd resets a connection whose body it has not read, and the reset may overtake the refusal';
const NO_RELOAD = 'settings come with a deployment, which is a new isolate';
const NO_DRAINING = 'the runtime ends isolates, and gives what runs in them its time';
const FIN = 'workerd sees a FIN only when it writes (the next event or ping); in production the edge tells it at once';
const CODINGS =
  'workerd has no zstd; the gateway asks for no coding at all, so that one comes from a broken upstream only';
const URLS = 'a worker is given the URL parsed: an apostrophe in its query is percent-encoded by then';

export const GATEWAY_GAPS: readonly Gap[] = [
  {
    file: 'bad-input',
    titles: [
      'a body of 33 MiB > that the caller sends without looking up',
      'a body of 33 MiB > in chunks is refused when',
    ],
    reason: UNREAD,
  },
  { file: 'files', titles: ['a file > that was refused so leaves its connection'], reason: UNREAD },
  {
    file: 'recovery',
    titles: ['a tenant who wants streams gone on with > is told so in the head'],
    reason: NO_TRAILERS,
  },
  { file: 'retries', titles: ['a caller that leaves between two calls > by fin'], reason: FIN },
  { file: 'hang-up', titles: ['a caller that hangs up by reset > while it uploads never'], reason: UNSEEN },
  {
    file: 'pings',
    titles: ['a silent stream > gets no more pings when it is over or its caller gone'],
    reason: OWN_TIMER,
  },
  {
    file: 'single-flight',
    titles: ['a leader > whose caller hangs up promotes', 'a follower > whose caller hangs up leaves at once'],
    reason: FIN,
  },
  { file: 'bad-input', titles: ['a connection that sends > '], reason: HTTP_OF_THE_EDGE },
  {
    file: 'bad-input',
    titles: ['a caller that is entitled to it > gets the answers to requests sent in one go'],
    reason: HTTP_OF_THE_EDGE,
  },
  {
    file: 'redirects-and-probes',
    titles: ['x-slipstream-id > is another one on every answer'], // asks with a broken host and a NUL in a header, too
    reason: HTTP_OF_THE_EDGE,
  },
  {
    file: 'truncation',
    titles: ['a caller of HTTP/1.0'],
    reason: HTTP_OF_THE_EDGE,
  },
  { file: 'draining', reason: NO_DRAINING },
  { file: 'console', titles: ['a viewer of the live figures > does not hold up'], reason: NO_DRAINING },
  { file: 'console', titles: ['the console > opens with a token that a reload'], reason: NO_RELOAD },
  { file: 'console', titles: ['a viewer of the live figures > that leaves by fin'], reason: FIN },
  { file: 'tenant-limit', titles: ['the queue > lets in those who wait as soon as a reload'], reason: NO_RELOAD },
  { file: 'tenant-limit', titles: ['the queue > holds to a limit that a reload lowered'], reason: NO_RELOAD },
  { file: 'hang-up', titles: ['a caller that hangs up by fin'], reason: FIN },
  {
    file: 'tenant-limit',
    titles: [
      'the queue > forgets at once who hangs up by fin',
      'a slot > is free again after a caller that leaves behind',
    ],
    reason: FIN,
  },
  {
    file: 'hang-up',
    titles: [
      'a caller that hangs up by reset > before a finished answer could leave, behind an earlier one',
      'a caller that hangs up by reset > with a request in line behind its stream',
    ],
    reason: HTTP_OF_THE_EDGE,
  },
  {
    file: 'response-fidelity',
    titles: ['a compressed answer > in zstd'],
    reason: CODINGS,
  },
  {
    file: 'json-truncation',
    titles: ['a compressed answer > in zstd'],
    reason: CODINGS,
  },
  { file: 'request-fidelity', titles: ["a target > /v1/messages?quote='"], reason: URLS },
];

export function gapOf(file: string, title: string): Gap | undefined {
  return GATEWAY_GAPS.find(
    (gap) => gap.file === file && (gap.titles?.some((start) => title.startsWith(start)) ?? true),
  );
}
