import { type ApiRefusal, invalid } from '../wire/api-error.ts';

/** What a caller may decide about the answer by `x-simulator-…` headers; what is left open the seed decides. */
export interface AnswerScript {
  readonly kind: 'script';
  readonly outputTokens: number | 'by-seed';
  readonly thinkingTokens: number | 'by-seed';
  /** How many tool calls, where the request allows any. */
  readonly toolCalls: number | 'by-seed';
}

export function readScript(headers: Headers): AnswerScript | ApiRefusal {
  const outputTokens = readCount(headers.get('x-simulator-output-tokens'));
  const thinkingTokens = readCount(headers.get('x-simulator-thinking-tokens'));
  const toolCalls = readToolCalls(headers.get('x-simulator-tools'));
  if (outputTokens === 'wrong') return invalid('x-simulator-output-tokens: a whole number of tokens');
  if (thinkingTokens === 'wrong') return invalid('x-simulator-thinking-tokens: a whole number of tokens');
  if (toolCalls === 'wrong') return invalid('x-simulator-tools: none, one or parallel:N');
  return { kind: 'script', outputTokens, thinkingTokens, toolCalls };
}

function readCount(header: string | null): number | 'by-seed' | 'wrong' {
  if (header === null) return 'by-seed';
  return /^\d{1,7}$/.test(header) ? Number(header) : 'wrong';
}

function readToolCalls(header: string | null): number | 'by-seed' | 'wrong' {
  if (header === null) return 'by-seed';
  if (header === 'none') return 0;
  if (header === 'one') return 1;
  const parallel = /^parallel:(\d{1,2})$/.exec(header);
  return parallel ? Number(parallel[1]) : 'wrong';
}
