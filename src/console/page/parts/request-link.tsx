import { hrefOf } from '../route.ts';

/** As much of an id as tells it from the others on a screen; all of it on pointing at it, and in its story. */
const SHOWN = 13;

export function RequestLink({ id }: { readonly id: string }) {
  return (
    <a href={hrefOf({ view: 'story', id })} title={id}>
      <code>{id.length > SHOWN ? `${id.slice(0, SHOWN)}…` : id}</code>
    </a>
  );
}
