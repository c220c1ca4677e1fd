import type { GatewayRequest, Reply } from '../../core/exchange.ts';
import { createMadeFiles } from '../../prompt/scan/file-ids.ts';
import type { Ownership } from '../../state/ownership.ts';
import type { Context } from '../service.ts';

/**
 * Files that Claude's code makes belong to the tenant who had it run (docs: code execution, retrieve generated files). Their
 * ids stand in answers; only answers that can have some are read along. Invariant: the bytes that tell of a file leave when
 * it is claimed, so that whoever reads of it can ask for it at once; those behind them wait their turn.
 */
export function claimingMadeFiles(context: Context, ownership: Ownership): Context {
  const { reply, tenant, notes } = context;
  const files = createMadeFiles();
  let held: Uint8Array[] = [];
  let claimed: Promise<unknown> | null = null;
  let hasRoom = true;
  const letGo = (): void => {
    claimed = null;
    for (const chunk of held.splice(0)) hasRoom = reply.write(chunk);
  };
  const claim = (ids: readonly string[], upstreamId: string): void => {
    const claims = ids.map((id) => ownership.claim(tenant.id, 'files', { id, upstreamId }));
    const all: Promise<unknown> = Promise.all([claimed, ...claims]).then(() => all === claimed && letGo());
    claimed = all;
  };
  const tapped: Reply & { isOpen: boolean } = {
    isOpen: reply.isOpen,
    open(head) {
      reply.open(head);
      tapped.isOpen = reply.isOpen;
    },
    write(chunk) {
      const made = files.push(chunk);
      if (made.length > 0 && notes.upstream !== null) claim(made, notes.upstream);
      if (!claimed) return reply.write(chunk);
      held.push(chunk);
      return false;
    },
    onDrain(run) {
      if (!claimed) reply.onDrain(run);
      else void claimed.then(() => (hasRoom && !claimed ? run() : tapped.onDrain(run)));
    },
    async end(trailers) {
      await claimed;
      await reply.end(trailers);
    },
    async cut() {
      await claimed;
      await reply.cut();
    },
    drop() {
      held = [];
      return reply.drop();
    },
  };
  return { ...context, reply: tapped };
}

/** Anthropic's own tools have no schema: with all of its options it takes some 200. */
const MAX_TOOL_BYTES = 384;

/** Whether a prompt offers Claude the tool that runs code; prompts in a batch are not looked at for it. */
export function runsCode({ prompt, body, object }: GatewayRequest): boolean {
  if (object) return object.of === 'batches' && object.does === 'download';
  if (!prompt || !(body instanceof Uint8Array)) return false;
  return prompt.positions
    .slice(0, prompt.toolsEnd)
    .filter(({ start, end }) => end - start <= MAX_TOOL_BYTES)
    .some(({ start, end }) => new TextDecoder().decode(body.subarray(start, end)).includes('code_execution'));
}
