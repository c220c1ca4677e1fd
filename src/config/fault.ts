/**
 * A fault is a problem before it is put into words: where, a verb phrase, how to mend it, and possibly the value it is
 * about. Only here is a value quoted, and only if it cannot be a credential: nothing that came out of the environment,
 * nothing long, nothing that looks like a Claude key. Keys of a mapping are treated alike, since they become paths.
 */
import type { Problem } from './config.ts';

export type Path = readonly (string | number)[];

export interface Fault {
  readonly at: Path;
  /** Follows the value or "this setting": `has no unit`. */
  readonly phrase: string;
  readonly mend: string;
  /** The value it is about, where that may be quoted; left out for credentials. */
  readonly subject?: unknown;
  /** `environment`: the value is not in the file, so no line is given. */
  readonly from?: 'file' | 'environment';
}

export interface FaultPlace {
  lineOf(path: Path): number | undefined;
  isFromEnvironment(text: string): boolean;
}

export function toProblem(fault: Fault, place: FaultPlace): Problem {
  const line = fault.from === 'environment' ? undefined : place.lineOf(fault.at);
  return {
    path: formatPath(fault.at, place),
    ...(line === undefined ? {} : { line }),
    message: `${nameSubject(fault, place)} ${fault.phrase}`,
    mend: fault.mend,
  };
}

function nameSubject({ subject, at }: Fault, place: FaultPlace): string {
  if (typeof subject === 'string' && isShowable(subject, place)) return JSON.stringify(subject);
  if (typeof subject === 'number') return String(subject);
  return at.length === 0 ? 'the file' : 'this setting';
}

function isShowable(text: string, place: FaultPlace): boolean {
  return text.length <= 32 && !text.startsWith('sk-') && /^\P{C}*$/u.test(text) && !place.isFromEnvironment(text);
}

/** `tenants[2].queue.timeout`. */
function formatPath(path: Path, place: FaultPlace): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${isShowable(part, place) ? part : '…'}`;
  }
  return text;
}
