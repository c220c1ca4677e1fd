import type { GatewayRequest, Reply } from '../../core/exchange.ts';
import { createMadeFiles } from '../../prompt/file-ids.ts';
import type { Ownership } from '../../state/ownership.ts';
import type { Context } from '../service.ts';

/**
 * Files that Claude's code makes belong to the tenant who had it run (docs: code execution, retrieve generated files). Their
 * ids stand in answers, and are claimed while these pass, before their end. Only answers that can have some are read along.
 */
export function claimingMadeFiles(context: Context, ownership: Ownership): Context {
  const { reply, tenant, notes } = context;
  const files = createMadeFiles();
  const claims: Promise<void>[] = [];
  const tapped: Reply = {
    get isOpen() {
      return reply.isOpen;
    },
    open: (head) => reply.open(head),
    write(chunk) {
      const upstreamId = notes.upstream;
      const made = upstreamId === null ? [] : files.push(chunk);
      for (const id of made) claims.push(ownership.claim(tenant.id, 'files', { id, upstreamId: upstreamId ?? '' }));
      return reply.write(chunk);
    },
    onDrain: (run) => reply.onDrain(run),
    async end(trailers) {
      await Promise.all(claims);
      await reply.end(trailers);
    },
    cut: () => reply.cut(),
    drop: () => reply.drop(),
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
