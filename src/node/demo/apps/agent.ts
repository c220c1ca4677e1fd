import type { Desk, Question } from '../desk.ts';
import type { Writer } from '../words.ts';

type Message = Question['messages'][number];
type Block = Exclude<Message['content'], string>[number];
type Tool = NonNullable<Question['tools']>[number];

/**
 * Coding agents: a long prefix of tools and instructions, tasks that call several tools at once, and the results sent
 * back. Marked as Claude Code marks: two system blocks, and the last block of the last message on every request.
 */
const AGENTS = 2;
const TASKS_PER_SESSION = 8;
const CACHED = { cache_control: { type: 'ephemeral' } } as const;
const TOOL_NAMES = ['read_file', 'write_file', 'list_files', 'search_text', 'run_tests', 'run_command', 'show_changes'];

export async function agent(desk: Desk): Promise<void> {
  const writer = desk.writer(0);
  const prefix = {
    model: 'claude-opus-5-5',
    max_tokens: 1_000,
    tools: TOOL_NAMES.map((name) => tool(name, writer)),
    system: [
      { type: 'text' as const, text: writer.text(1_000), ...CACHED },
      { type: 'text' as const, text: writer.text(6_000), ...CACHED },
    ],
  };
  await Promise.all(Array.from({ length: AGENTS }, (_, worker) => workOn(desk, desk.writer(worker + 1), prefix)));
}

async function workOn(desk: Desk, writer: Writer, prefix: Omit<Question, 'messages'>): Promise<void> {
  while (!desk.isStopping) {
    const messages: Message[] = [];
    for (let task = 0; task < TASKS_PER_SESSION && !desk.isStopping; task++) {
      messages.push({ role: 'user', content: [{ type: 'text', text: writer.text(writer.between(30, 150)) }] });
      const isDone = await oneTask(desk, writer, prefix, messages);
      if (!isDone) break;
      await desk.pause(writer.between(800, 2_500));
    }
  }
}

/** Asks until an answer calls no tool; false where an answer is missing and the conversation cannot go on. */
async function oneTask(desk: Desk, writer: Writer, prefix: Omit<Question, 'messages'>, messages: Message[]) {
  for (;;) {
    const script = { 'x-simulator-tools': `parallel:${writer.between(1, 4)}` };
    const answer = await desk.ask({ ...prefix, messages: withMarkedEnd(messages) }, script);
    if (answer.kind === 'none') return false;
    messages.push({ role: 'assistant', content: answer.content });
    const calls = answer.content.filter((block) => block.type === 'tool_use');
    if (calls.length === 0) return true;
    await desk.pause(writer.between(100, 600)); // the tools run
    const content = calls.map(({ id }): Block => {
      return { type: 'tool_result', tool_use_id: id, content: writer.text(writer.between(100, 800)) };
    });
    messages.push({ role: 'user', content });
  }
}

function withMarkedEnd(messages: readonly Message[]): Message[] {
  const last = messages.at(-1);
  if (!last || typeof last.content === 'string') return [...messages];
  const content = last.content.map((block, index) =>
    index === last.content.length - 1 ? { ...block, ...CACHED } : block,
  );
  return [...messages.slice(0, -1), { ...last, content } as Message];
}

function tool(name: string, writer: Writer): Tool {
  const text = (tokens: number) => ({ type: 'string', description: writer.text(tokens) });
  return {
    name,
    description: writer.text(300),
    input_schema: {
      type: 'object',
      properties: { path: text(20), pattern: text(40), reason: text(20) },
      required: ['path', 'reason'],
    },
  };
}
