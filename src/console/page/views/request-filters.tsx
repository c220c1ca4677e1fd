import type { RequestRow } from '../../contract.ts';
import { CACHE_LABELS, FAULTS } from '../../request-query.ts';
import { useLive } from '../data/session.ts';
import { hrefOf, type RequestFilter } from '../route.ts';

/** Which requests are shown. The choice is in the address, so that it can be linked and gone back from. */
export interface RequestFiltersProps {
  readonly filter: RequestFilter;
  readonly rows: readonly RequestRow[];
}

export function RequestFilters({ filter, rows }: RequestFiltersProps) {
  const { snapshot } = useLive();
  const tenants = [...(snapshot?.tenants.map(({ id }) => id) ?? []), ...rows.map(({ tenant }) => tenant)];
  const models = rows.flatMap(({ model }) => model ?? []);
  const choose = (name: keyof RequestFilter, value: string): void => {
    const { [name]: _before, ...others } = filter;
    location.hash = hrefOf({ view: 'requests', filter: value === '' ? others : { ...others, [name]: value } });
  };
  const choices = { tenant: tenants, model: models, cache: CACHE_LABELS, fault: FAULTS };
  return (
    <form class="filters" aria-label="Which requests" onSubmit={(event) => event.preventDefault()}>
      {FIELDS.map(([name, label]) => (
        <label key={name}>
          <span>{label}</span>
          <select value={filter[name] ?? ''} onChange={(event) => choose(name, event.currentTarget.value)}>
            <option value="">all</option>
            {distinct(choices[name], filter[name]).map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        </label>
      ))}
    </form>
  );
}

const FIELDS = [
  ['tenant', 'Tenant'],
  ['model', 'Model'],
  ['cache', 'Cache'],
  ['fault', 'Fault of'],
] as const;

/** The chosen one is among them also where no row has it now. */
function distinct(names: readonly string[], chosen: string | undefined): string[] {
  return [...new Set(chosen === undefined ? names : [...names, chosen])];
}
