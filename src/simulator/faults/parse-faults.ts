import { BEFORE_MESSAGE_START, type Fault, FOREVER_MS } from './fault.ts';

/** From the header's or the control endpoint's text to faults; the grammar is in fault.ts and docs/simulator.md. */
export type ParsedFaults =
  { readonly kind: 'faults'; readonly faults: readonly Fault[] } | { readonly kind: 'wrong'; readonly problem: string };

type Parameters = ReadonlyMap<string, string>;

export function parseFaults(text: string): ParsedFaults {
  const faults: Fault[] = [];
  for (const part of text.split(',')) {
    const [name = '', ...rest] = part.split(';').map((word) => word.trim());
    const parameters = new Map(rest.map((word) => splitAt(word, '=')));
    const fault = makeFault(name, parameters);
    if (fault === 'unknown') return { kind: 'wrong', problem: `unknown fault '${part.trim()}'` };
    faults.push(fault);
  }
  return { kind: 'faults', faults };
}

const MAKERS: Readonly<Record<string, (parameters: Parameters) => Fault>> = {
  'html-502': () => ({ kind: 'html', status: 502 }),
  redirect: (given) => ({ kind: 'redirect', to: given.get('to') ?? '/elsewhere', status: whole(given, 'status', 307) }),
  'stall-headers': (given) => ({ kind: 'stall-headers', ms: whole(given, 'ms', FOREVER_MS) }),
  'error-in-stream': (given) => ({
    kind: 'error-in-stream',
    after: after(given),
    type: given.get('type') ?? 'overloaded_error',
  }),
  cut: (given) => ({ kind: 'cut', after: after(given) }),
  'end-early': (given) => ({ kind: 'end-early', after: after(given) }),
  stall: (given) => ({ kind: 'stall', after: after(given), ms: whole(given, 'ms', FOREVER_MS) }),
  gzip: () => ({ kind: 'gzip' }),
  crlf: () => ({ kind: 'crlf' }),
  'no-event-lines': () => ({ kind: 'no-event-lines' }),
  'no-pings': () => ({ kind: 'no-pings' }),
  'tiny-chunks': (given) => ({ kind: 'tiny-chunks', bytes: Math.max(1, whole(given, 'bytes', 7)) }),
};

function makeFault(name: string, parameters: Parameters): Fault | 'unknown' {
  if (/^[45]\d\d$/.test(name)) return statusFault(Number(name), parameters);
  return MAKERS[name]?.(parameters) ?? 'unknown';
}

function statusFault(status: number, parameters: Parameters): Fault {
  const named = ['retry-after', 'retry-after-ms', 'x-should-retry'] as const;
  const headers = named.flatMap((name) => {
    const value = parameters.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { kind: 'status', status, headers: Object.fromEntries(headers), errorCode: parameters.get('code') ?? '' };
}

function after(parameters: Parameters): number {
  return parameters.get('after') === 'headers' ? BEFORE_MESSAGE_START : whole(parameters, 'after', 0);
}

function whole(parameters: Parameters, name: string, otherwise: number): number {
  const value = parameters.get(name);
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : otherwise;
}

function splitAt(word: string, separator: string): [string, string] {
  const at = word.indexOf(separator);
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}
