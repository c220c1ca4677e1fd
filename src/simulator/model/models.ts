/**
 * The models of November 2026 and the rules that differ between them. What follows from a model's generation is derived;
 * what is particular is written down. Sources: docs "models overview", "prompt caching, cache limitations", "errors".
 */
type DisabledThinking = 'accepted' | 'rejected' | 'up-to-high-effort' | 'between-tools';

/** `ignored`: answered at standard speed without a word. */
type FastMode = 'available' | 'with-beta' | 'ignored' | 'rejected';

export interface Model {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly displayName: string;
  readonly createdAt: string;
  /** Models of one class share their rate limits. */
  readonly limitClass: string;
  /** Fewest tokens a cached prefix may have. */
  readonly minCacheTokens: number;
  readonly bytesPerToken: number;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly toolPromptTokens: number;
  readonly acceptsPrefill: boolean;
  readonly acceptsEnabledThinking: boolean;
  readonly acceptsAdaptiveThinking: boolean;
  readonly acceptsDisabledThinking: DisabledThinking;
  readonly acceptsForcedTools: boolean;
  readonly acceptsSampling: boolean;
  readonly acceptsSystemMessages: boolean;
  readonly defaultThinking: 'adaptive' | 'disabled';
  readonly defaultThinkingDisplay: 'summarized' | 'omitted';
  readonly defaultEffort: string;
  readonly fastMode: FastMode;
  /** Thinking signatures are bound to everything before them. */
  readonly bindsThinking: boolean;
  /** Thinking of earlier turns leaves the prompt when a plain user turn follows. */
  readonly stripsOldThinking: boolean;
  /** The first part of the prefix that a change of thinking or effort makes new. */
  readonly thinkingInvalidates: 'tools' | 'messages';
}

interface Particulars {
  readonly generation: number;
  readonly released: string;
  readonly minCacheTokens: number;
  readonly limitClass: string;
  readonly datedId?: string;
  readonly toolPromptTokens?: number;
  readonly disabledThinking?: DisabledThinking;
  readonly forcedTools?: false;
  readonly systemMessages?: true;
  readonly bindsThinking?: true;
  readonly effort?: 'medium';
  readonly fastMode?: FastMode;
}

/** Docs, token counting: about 3.5 characters a token up to Claude 4.6, about 2.5 from 4.7 on. */
const OLD_VOCABULARY_BYTES = 3.5;
const NEW_VOCABULARY_BYTES = 2.5;

function model(name: string, own: Particulars): Model {
  const { generation } = own;
  const thinking = own.disabledThinking ?? 'accepted';
  return {
    id: own.datedId ?? name,
    aliases: own.datedId === undefined ? [] : [name],
    displayName: displayName(name),
    createdAt: `${own.released}T00:00:00Z`,
    limitClass: own.limitClass,
    minCacheTokens: own.minCacheTokens,
    bytesPerToken: generation < 4.7 ? OLD_VOCABULARY_BYTES : NEW_VOCABULARY_BYTES,
    contextTokens: generation < 4.6 ? 200_000 : 1_000_000,
    maxOutputTokens: generation < 4.6 ? 64_000 : 128_000,
    toolPromptTokens: own.toolPromptTokens ?? 290,
    acceptsPrefill: generation < 4.6,
    acceptsEnabledThinking: generation < 4.7,
    acceptsAdaptiveThinking: generation >= 4.6,
    acceptsDisabledThinking: thinking,
    acceptsForcedTools: own.forcedTools ?? true,
    acceptsSampling: generation <= 4.6,
    acceptsSystemMessages: own.systemMessages ?? false,
    defaultThinking: thinking === 'accepted' ? 'disabled' : 'adaptive',
    defaultThinkingDisplay: generation < 4.7 ? 'summarized' : 'omitted',
    defaultEffort: own.effort ?? 'high',
    fastMode: own.fastMode ?? 'rejected',
    bindsThinking: own.bindsThinking ?? false,
    stripsOldThinking: generation < 4.6 && !name.includes('opus'),
    thinkingInvalidates: generation < 4.6 ? 'messages' : 'tools',
  };
}

function displayName(name: string): string {
  const [, family = '', ...version] = name.split('-');
  return `Claude ${family.charAt(0).toUpperCase()}${family.slice(1)} ${version.join('.')}`;
}

const fable = {
  limitClass: 'fable-5',
  minCacheTokens: 512,
  systemMessages: true,
  disabledThinking: 'rejected',
} as const;
const boundFable = { ...fable, bindsThinking: true, forcedTools: false } as const;
const opus4 = { limitClass: 'opus-4' } as const;

export const MODELS: readonly Model[] = [
  model('claude-fable-5-2', { ...boundFable, generation: 5.2, released: '2026-11-09', fastMode: 'available' }),
  model('claude-mythos-5-2', { ...boundFable, generation: 5.2, released: '2026-11-09' }),
  model('claude-haiku-5-5', {
    generation: 5.5,
    released: '2026-10-07',
    limitClass: 'haiku-5-5',
    minCacheTokens: 512,
    systemMessages: true,
    disabledThinking: 'up-to-high-effort',
    effort: 'medium',
  }),
  model('claude-sonnet-5-5', {
    generation: 5.5,
    released: '2026-09-28',
    limitClass: 'sonnet-5-5',
    minCacheTokens: 512,
    systemMessages: true,
    disabledThinking: 'between-tools',
    bindsThinking: true,
    forcedTools: false,
  }),
  model('claude-opus-5-5', {
    generation: 5.5,
    released: '2026-09-22',
    fastMode: 'available',
    limitClass: 'opus-5-5',
    minCacheTokens: 512,
    systemMessages: true,
    disabledThinking: 'rejected',
    bindsThinking: true,
    forcedTools: false,
    effort: 'medium',
  }),
  model('claude-fable-5-1', { ...boundFable, generation: 5.1, released: '2026-09-01' }),
  model('claude-mythos-5-1', { ...boundFable, generation: 5.1, released: '2026-09-01' }),
  model('claude-opus-5', {
    generation: 5,
    released: '2026-07-24',
    fastMode: 'with-beta',
    limitClass: 'opus-5',
    minCacheTokens: 512,
    toolPromptTokens: 286,
    systemMessages: true,
    disabledThinking: 'up-to-high-effort',
  }),
  model('claude-sonnet-5', {
    generation: 5,
    released: '2026-06-30',
    limitClass: 'sonnet-5',
    minCacheTokens: 1024,
    toolPromptTokens: 354,
  }),
  model('claude-fable-5', { ...fable, generation: 5, released: '2026-06-09' }),
  model('claude-mythos-5', { ...fable, generation: 5, released: '2026-06-09' }),
  model('claude-opus-4-8', {
    ...opus4,
    generation: 4.8,
    released: '2026-05-28',
    fastMode: 'with-beta',
    minCacheTokens: 1024,
    toolPromptTokens: 290,
    systemMessages: true,
  }),
  model('claude-opus-4-7', {
    ...opus4,
    generation: 4.7,
    released: '2026-04-16',
    minCacheTokens: 2048,
    toolPromptTokens: 675,
  }),
  model('claude-mythos-preview', {
    generation: 4.7,
    released: '2026-04-07',
    limitClass: 'mythos-preview',
    minCacheTokens: 2048,
    disabledThinking: 'rejected',
  }),
  model('claude-sonnet-4-6', {
    generation: 4.6,
    released: '2026-02-17',
    limitClass: 'sonnet-4',
    minCacheTokens: 1024,
    toolPromptTokens: 497,
  }),
  model('claude-opus-4-6', {
    ...opus4,
    generation: 4.6,
    released: '2026-02-05',
    fastMode: 'ignored',
    minCacheTokens: 4096,
    toolPromptTokens: 497,
  }),
  model('claude-opus-4-5', {
    ...opus4,
    generation: 4.5,
    released: '2025-11-24',
    datedId: 'claude-opus-4-5-20251101',
    minCacheTokens: 4096,
    toolPromptTokens: 496,
  }),
  model('claude-haiku-4-5', {
    generation: 4.5,
    released: '2025-10-15',
    limitClass: 'haiku-4-5',
    datedId: 'claude-haiku-4-5-20251001',
    minCacheTokens: 4096,
    toolPromptTokens: 496,
  }),
  model('claude-sonnet-4-5', {
    generation: 4.5,
    released: '2025-09-29',
    limitClass: 'sonnet-4',
    datedId: 'claude-sonnet-4-5-20250929',
    minCacheTokens: 1024,
    toolPromptTokens: 496,
  }),
];

export function findModel(name: string): Model | undefined {
  return MODELS.find((model) => model.id === name || model.aliases.includes(name));
}
