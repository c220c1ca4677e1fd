/** Waiting with a deadline and a label: the only way in which tests wait for what another process or socket does. */

const POLL_INTERVAL_MS = 4;

/** Polls until `predicate` holds; throws with the label when it does not in time. */
export async function eventually(
  label: string,
  deadlineMs: number,
  predicate: () => boolean | Promise<boolean>,
): Promise<void> {
  const untilMs = performance.now() + deadlineMs;
  while (!(await predicate())) {
    if (performance.now() > untilMs) throw new Error(`not within ${deadlineMs} ms: ${label}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/** The value of `promise`, or an error with the label when it takes longer. */
export async function within<T>(label: string, deadlineMs: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${label}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
  }
}

const STILL_MS = 120;

/** Waits until a figure has stopped moving: a full buffer, a reader that has been told to stop. */
export async function standsStill(
  label: string,
  deadlineMs: number,
  read: () => number,
  stillMs = STILL_MS,
): Promise<number> {
  let value = read();
  let sinceMs = performance.now();
  await eventually(label, deadlineMs, () => {
    const next = read();
    if (next !== value) sinceMs = performance.now();
    value = next;
    return performance.now() - sinceMs > stillMs;
  });
  return value;
}
