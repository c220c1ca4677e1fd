// Bodies for the load: a few dozen a tenant, written once from a seed and sent again and again, so that what the gateway
// learns of prompts has an end and its heap can be compared.

import type Anthropic from '@anthropic-ai/sdk';
import { createWriter, type Writer } from '../../src/node/demo/words.ts';

export type Question = Anthropic.MessageCreateParamsNonStreaming;
type Message = Question['messages'][number];
type Tool = NonNullable<Question['tools']>[number];

const HOUR = { cache_control: { type: 'ephemeral', ttl: '1h' } } as const;
const FIVE_MINUTES = { cache_control: { type: 'ephemeral' } } as const;
const TOOLS = ['read_file', 'write_file', 'search_text', 'run_command'];

/** Conversations that share their instructions, each in all the states it grows through; no marker of their own. */
export function conversations(model: string, seed: number, count = 5, turns = 5): Question[] {
  const shared = createWriter(seed).text(2_500);
  return Array.from({ length: count }, (_, index) => {
    const writer = createWriter(seed * 100 + index + 1);
    const messages: Message[] = [];
    return Array.from({ length: turns }, () => {
      messages.push({ role: 'user', content: writer.text(writer.between(40, 300)) });
      const question = { model, max_tokens: 4_096, system: shared, messages: [...messages] };
      messages.push({ role: 'assistant', content: writer.text(writer.between(40, 200)) });
      return question;
    });
  }).flat();
}

/** Tool loops, marked as agents mark: the instructions for an hour, the end of the conversation for five minutes. */
export function toolLoops(model: string, seed: number): Question[] {
  const writer = createWriter(seed);
  const tools = TOOLS.map((name) => tool(name, writer));
  const system = [{ type: 'text' as const, text: writer.text(4_000), ...HOUR }];
  return Array.from({ length: 4 }, (_, index) => {
    const own = createWriter(seed * 100 + index + 1);
    const messages: Message[] = [{ role: 'user', content: own.text(120) }];
    return Array.from({ length: 5 }, (_, step) => {
      const question = { model, max_tokens: 4_096, tools, system, messages: withMarkedEnd(messages) };
      messages.push(...oneCall(`toolu_${seed}${index}${step}`, own));
      return question;
    });
  }).flat();
}

/** Questions about long documents, the document marked by the caller. */
export function documents(model: string, seed: number): Question[] {
  return Array.from({ length: 4 }, (_, index) => {
    const writer = createWriter(seed * 100 + index + 1);
    const system = [{ type: 'text' as const, text: writer.text(writer.between(15_000, 60_000)), ...FIVE_MINUTES }];
    return Array.from({ length: 5 }, () => {
      return { model, max_tokens: 1_024, system, messages: [{ role: 'user' as const, content: writer.text(40) }] };
    });
  }).flat();
}

function oneCall(id: string, writer: Writer): Message[] {
  const path = writer.text(6);
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id, name: TOOLS[0] ?? '', input: { path } }] },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: id, content: writer.text(writer.between(50, 600)) }],
    },
  ];
}

function withMarkedEnd(messages: readonly Message[]): Message[] {
  const last = messages.at(-1);
  if (!last) return [];
  const blocks = typeof last.content === 'string' ? [{ type: 'text' as const, text: last.content }] : last.content;
  const content = blocks.map((block, index) => (index === blocks.length - 1 ? { ...block, ...FIVE_MINUTES } : block));
  return [...messages.slice(0, -1), { ...last, content } as Message];
}

function tool(name: string, writer: Writer): Tool {
  const properties = { path: { type: 'string', description: writer.text(30) } };
  return { name, description: writer.text(250), input_schema: { type: 'object', properties, required: ['path'] } };
}
