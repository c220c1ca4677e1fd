import { headerValue, type HeaderMap } from '../headers.ts';

/**
 * How long an upstream asks us to wait. `retry-after-ms` goes before `retry-after`, as in Anthropic's SDKs; an hour is a
 * real answer and is kept. What is no wait (zero, negative, not a number, a date that has passed) is as if it were not sent.
 */
export function readRetryAfterMs(headers: HeaderMap, wallMs: number): number | null {
  const milliseconds = readNumber(headerValue(headers, 'retry-after-ms'));
  if (milliseconds !== null) return bounded(milliseconds);
  const value = headerValue(headers, 'retry-after');
  const seconds = readNumber(value);
  return bounded(seconds === null ? readDate(value) - wallMs : seconds * 1000);
}

/** The longest delay a timer takes, and the longest the SDKs obey. */
const LONGEST_MS = 2 ** 31 - 1;

function bounded(waitMs: number): number | null {
  return waitMs > 0 ? Math.min(waitMs, LONGEST_MS) : null;
}

/** RFC 9110 has whole seconds; the API and some proxies send fractions. */
const DECIMAL = /^\d+(\.\d+)?$/;

/** A number above zero; anything else leaves the next way to say it. */
function readNumber(value: string | undefined): number | null {
  const text = value?.trim() ?? '';
  if (!DECIMAL.test(text)) return null;
  const number = Number(text);
  return number > 0 ? number : null;
}

/** The forms of RFC 9110 §5.6.7 begin with a weekday. Date.parse alone takes "-5" for a year. */
const HTTP_DATE = /^(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? [\w :-]{10,30}$/i;

function readDate(value: string | undefined): number {
  const text = value?.trim() ?? '';
  if (!HTTP_DATE.test(text)) return Number.NaN;
  return Date.parse(/gmt$/i.test(text) ? text : `${text} GMT`); // asctime names no zone
}
