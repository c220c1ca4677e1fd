/**
 * Stands in the bundle for `@opentelemetry/api` and for what the SDK does with it (wrangler.toml, alias): the SDK imports
 * them and, told not to trace, never calls them. They would be a twentieth of a bundle that every new isolate has to read.
 * Nothing here is a function: a call after all is a TypeError, and its request fails.
 */
export const context = {};
export const trace = {};
export const propagation = {};
export const SpanKind = {};
export const SpanStatusCode = {};

export const takeTraceHeaders = {};
export const withoutTraceHeaders = {};
export const endAnthropicApiCallSpanWhenStreamEnds = {};
