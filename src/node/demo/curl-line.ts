/** A streamed request as one line for a POSIX shell, with everything the API asks for and nothing else. */
export function curlLine(
  baseUrl: string,
  key: string,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const body = {
    model: 'claude-sonnet-5',
    max_tokens: 200,
    stream: true,
    messages: [{ role: 'user', content: 'Hello, Claude' }],
  };
  const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' };
  return [
    // curl sends even loopback through a proxy that the environment names.
    hasProxy(environment) ? "curl -N --noproxy '*'" : 'curl -N',
    `${baseUrl}/v1/messages`,
    ...Object.entries(headers).map(([name, value]) => `-H '${name}: ${value}'`),
    `-d '${JSON.stringify(body)}'`,
  ].join(' ');
}

const PROXY_VARIABLES = ['http_proxy', 'all_proxy', 'ALL_PROXY'];

function hasProxy(environment: Readonly<Record<string, string | undefined>>): boolean {
  return PROXY_VARIABLES.some((name) => (environment[name] ?? '') !== '');
}
