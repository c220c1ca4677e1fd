/** An object takes some 1,000 requests a second (docs: Durable Objects, limits); an isolate sends some ten, and two a stream. */
const HUBS = 1;

/** The first puts the page together. */
export const hubNames = Array.from({ length: HUBS }, (_, index) => `hub-${index}`);
