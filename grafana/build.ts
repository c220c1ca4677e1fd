import { writeFileSync } from 'node:fs';
import { DASHBOARDS, jsonOf } from './dashboards/all.ts';

/** `node grafana/build.ts`: the dashboards' JSON, which is committed; a test holds it against the code. */
for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
  writeFileSync(new URL(`dashboards/json/${name}.json`, import.meta.url), await jsonOf(dashboard));
}
