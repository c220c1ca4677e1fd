import { INSTRUCTIONS, PLACE_SCHEMA } from './prompts.ts';

/**
 * Requests in the shape of Claude Code 2.1: its headers, its order of fields, three markers (two on the system prompt, one
 * on the last block of the last message), an attribution block in front, and a message of role `system` behind the first
 * prompt, marked while it is the last message and a plain string from the second turn on. The texts are made up.
 */
const SESSION_ID = '7d3c1a52-0b5e-4a1e-9a3f-5a1f0c9e2b11';

export const BETAS = [
  'claude-code-20250219',
  'interleaved-thinking-2025-05-14',
  'context-management-2025-06-27',
  'per-turn-control-2026-07-01',
  'mid-conversation-tool-changes-2026-07-01',
  'thinking-token-count-2026-05-13',
  'advanced-tool-use-2025-11-20',
  'effort-2025-11-24',
  'thinking-display-updates-2026-08-18',
];

/** All it sends but the credentials, which the gateway replaces, and `accept-encoding`, which concerns one hop. */
export const CLAUDE_CODE_HEADERS: Readonly<Record<string, string>> = {
  accept: 'application/json',
  'content-type': 'application/json',
  'user-agent': 'claude-cli/2.1.330 (external, sdk-cli)',
  'x-app': 'cli',
  'x-claude-code-session-id': SESSION_ID,
  'anthropic-dangerous-direct-browser-access': 'true',
  'anthropic-version': '2023-06-01',
  'anthropic-beta': BETAS.join(','),
  'x-stainless-arch': 'x64',
  'x-stainless-lang': 'js',
  'x-stainless-os': 'Linux',
  'x-stainless-package-version': '0.128.0',
  'x-stainless-retry-count': '0',
  'x-stainless-runtime': 'node',
  'x-stainless-runtime-version': 'v24.3.0',
  'x-stainless-timeout': '600',
};

const MARK = { cache_control: { type: 'ephemeral' } };
const ENVIRONMENT = 'Working directory: /home/dev/weather\nIs a git repository: true\nPlatform: linux';
const PROMPT = [
  { type: 'text', text: '<system-reminder>\nAnswer in the language of the question.\n</system-reminder>' },
  { type: 'text', text: 'Wie wird das Wetter in Zürich? 🌦' },
];
const TOOL_NAMES = [
  'Agent',
  'Bash',
  'Edit',
  'Glob',
  'Grep',
  'NotebookEdit',
  'Read',
  'Skill',
  'TodoWrite',
  'ToolSearch',
  'Write',
];
const TOOLS = [
  ...TOOL_NAMES.map((name) => ({ name, description: `${name}, as it is told here.`, input_schema: PLACE_SCHEMA })),
  { name: 'DeferredToolPlaceholder', description: 'Not loaded yet.', input_schema: PLACE_SCHEMA, defer_loading: true },
];

export function firstTurn(): string {
  const environment = { role: 'system', content: [{ type: 'text', text: ENVIRONMENT, ...MARK }] };
  return body([{ role: 'user', content: PROMPT }, environment]);
}

/** After the answer to the first turn, with a result for each of its calls. */
export function secondTurn(answer: readonly AnswerBlock[]): string {
  const calls = answer.filter(({ type }) => type === 'tool_use');
  const results = calls.map(({ id }, index) => ({
    tool_use_id: id,
    type: 'tool_result',
    content: 'sunny',
    is_error: false,
    ...(index === calls.length - 1 ? MARK : {}),
  }));
  return body([
    { role: 'user', content: PROMPT },
    { role: 'system', content: ENVIRONMENT },
    { role: 'assistant', content: answer },
    { role: 'user', content: results },
  ]);
}

/** What `/context` asks for, many at once. */
export function countOf(index: number): string {
  const messages = [{ role: 'user', content: `Part ${index} of the context` }];
  return JSON.stringify({ model: MODEL, messages, tools: TOOLS.slice(0, 1) });
}

const MODEL = 'claude-opus-5-5';

function body(messages: readonly object[]): string {
  return JSON.stringify({
    model: MODEL,
    messages,
    system: [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.330.839; cc_entrypoint=sdk-cli;' },
      { type: 'text', text: 'You are an agent of the command line.', ...MARK },
      { type: 'text', text: INSTRUCTIONS, ...MARK },
    ],
    tools: TOOLS,
    metadata: { user_id: JSON.stringify({ device_id: 'd0', account_uuid: '', session_id: SESSION_ID }) },
    max_tokens: 128_000,
    thinking: { type: 'adaptive', display: 'summarized' },
    context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
    output_config: { effort: 'medium' },
    stream: true,
  });
}

export interface AnswerBlock {
  readonly type: string;
  readonly id?: string;
  readonly [field: string]: unknown;
}

interface StreamedEvent {
  readonly type: string;
  readonly index?: number;
  readonly content_block?: AnswerBlock;
  readonly delta?: Readonly<Record<string, string>>;
}

/** The blocks of an answer, put together from its events as a client does that sends them back. */
export function answerOf(events: readonly object[]): AnswerBlock[] {
  const blocks: Record<string, unknown>[] = [];
  const inputs: string[] = [];
  for (const event of events as readonly StreamedEvent[]) {
    const { index = 0, delta = {} } = event;
    if (event.content_block) blocks[index] = { ...event.content_block };
    const block = blocks[index];
    if (event.type !== 'content_block_delta' || !block) continue;
    for (const field of ['text', 'thinking', 'signature']) {
      if (field in delta) block[field] = `${block[field] as string}${delta[field]}`;
    }
    if ('partial_json' in delta) inputs[index] = `${inputs[index] ?? ''}${delta['partial_json']}`;
  }
  return blocks.map((block, index) =>
    inputs[index] === undefined ? block : { ...block, input: JSON.parse(inputs[index]) as unknown },
  ) as AnswerBlock[];
}
