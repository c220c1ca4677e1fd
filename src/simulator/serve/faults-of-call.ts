import type { Fault } from '../faults/fault.ts';
import { parseFaults } from '../faults/parse-faults.ts';
import type { Ask } from '../validate/ask.ts';
import { type ApiRefusal, invalid } from '../wire/api-error.ts';
import type { Caller } from './caller.ts';
import type { Call, World } from './world.ts';

/** The call's own header first; without one, what was ordered at the desk. */
export function chooseFaults(
  call: Call,
  world: World,
  caller: Caller,
  ask: Ask,
): { readonly kind: 'faults'; readonly faults: readonly Fault[] } | ApiRefusal {
  const header = call.request.headers.get('x-simulator-fault');
  if (header !== null) {
    const parsed = parseFaults(header);
    return parsed.kind === 'wrong' ? invalid(`x-simulator-fault: ${parsed.problem}`) : parsed;
  }
  const { path } = call.observation;
  return { kind: 'faults', faults: world.desk.take({ path, model: ask.model.id, key: caller.key }) };
}
