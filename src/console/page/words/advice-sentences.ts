import type { VolatileAdvice } from '../../contract.ts';
import { formatCount, formatTokens, formatUsd, unbroken } from './numbers.ts';

/** What a block that never stands still costs, and how to mend it, to be passed on to whoever writes the prompt. */
export function adviceSentences(advice: VolatileAdvice): readonly string[] {
  const { tenant, model, place, requests, changes, tokensBehind, requestsPerDay, wastedUsdPerDay } = advice;
  const cost =
    wastedUsdPerDay === null
      ? `Nobody can read the ${unbroken(formatTokens(tokensBehind))} tokens behind it, ${formatCount(Math.round(requestsPerDay))} times a day.`
      : `Nobody can read the ${unbroken(formatTokens(tokensBehind))} tokens behind it: ${formatUsd(wastedUsdPerDay)} a day at this pace.`;
  return [
    `${tenant} on ${model}: ${place} differed in ${formatCount(changes)} of ${formatCount(requests)} requests.`,
    cost,
    'Put what changes (a date, an id, a counter) behind what stays.',
  ];
}
