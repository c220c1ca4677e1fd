import { buildPrompt } from '../prompt/build-prompt.ts';
import { chooseFaults } from './faults-of-call.ts';
import { answerInstead } from './faulted-answer.ts';
import { check, readAsk } from './read-ask.ts';
import { type Call, type Reply, whole, type World } from './world.ts';

/** POST /v1/messages/count_tokens: the same rules and the same estimate as a message; markers are judged and otherwise ignored. */
export async function countTokens(call: Call, world: World): Promise<Reply> {
  const { caller } = call;
  if (caller.kind === 'refused') return caller;
  const asked = await readAsk(call, world, 'count_tokens');
  if (asked.kind === 'refused') return asked;
  const faults = chooseFaults(call, world, caller, asked.ask);
  if (faults.kind === 'refused') return faults;
  const instead = await answerInstead(call, world, faults.faults);
  if (instead.kind !== 'none') return instead;
  const valid = check(asked, world);
  if (valid.kind === 'refused') return valid;
  const prompt = buildPrompt(asked.ask.body, asked.ask.model, asked.ask.betas);
  if (prompt.kind === 'refused') return prompt;
  return whole({ input_tokens: prompt.inputTokens });
}
