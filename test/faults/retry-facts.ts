/** How often one request is asked when every call fails at once, with nowhere else to go: once, and four times more. */
export const SPENT_CALLS = 5;

/** The four waits in between take eight seconds at most, and are not waited for here. */
export const HURRIED = { skipUpToMs: 8_000 } as const;
