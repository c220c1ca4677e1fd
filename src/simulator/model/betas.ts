/**
 * Names the API knows in `anthropic-beta`, without their date: families come in several dates, and a new date of a known
 * family is let through. An unknown family is a 400 (docs: beta headers).
 */
const KNOWN_FAMILIES = new Set(
  `advanced-tool-use advisor-tool agent-memory cache-diagnosis claude-code code-execution compact computer-use context-1m
  context-management dev-full-thinking dreaming effort extended-cache-ttl fallback-credit fast-mode fine-grained-tool-streaming
  files-api inline-tools interleaved-thinking managed-agents mcp-client mcp-tunnels message-batches message-threads
  mid-conversation-output-config mid-conversation-system mid-conversation-system-clear-at mid-conversation-tool-changes
  model-context-window-exceeded oauth output-128k output-300k pdfs per-turn-control prompt-caching prompt-caching-scope
  redact-thinking search-results server-side-fallback skills structured-outputs task-budgets thinking-binding-controls
  thinking-display-updates thinking-token-count token-counting token-efficient-tools tool-search-tool user-profiles
  user-profiles-billing web-fetch`.split(/\s+/),
);

/** Accepted and without effect because the feature is generally available: they change no prompt. */
export const ACTIVE_BETA_EXCEPTIONS: ReadonlySet<string> = new Set([
  'prompt-caching-2024-07-31',
  'extended-cache-ttl-2025-04-11',
  'cache-diagnosis-2026-04-07',
  'token-counting-2024-11-01',
  'message-batches-2024-09-24',
  'pdfs-2024-09-25',
  'token-efficient-tools-2025-02-19',
  'files-api-2025-04-14',
  'skills-2025-10-02',
]);

/** Body fields that go only with a beta of this family; without it they are extra inputs. */
export const FIELD_BETA_FAMILY: Readonly<Record<string, string>> = {
  billing_policy: 'user-profiles-billing',
  compaction: 'compact',
  context_management: 'context-management',
  fallback_credit_token: 'fallback-credit',
  fallbacks: 'server-side-fallback',
  mcp_servers: 'mcp-client',
  output_format: 'structured-outputs',
  thread: 'message-threads',
};

export function betaFamily(beta: string): string {
  return beta.replace(/-\d{4}-?\d{2}-?\d{2}$/, '');
}

export function isKnownBeta(beta: string): boolean {
  return KNOWN_FAMILIES.has(betaFamily(beta));
}

export function parseBetas(header: string | null): string[] {
  return (header ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '');
}
