import type { Provider } from "../providers/contract.ts";
import type { SyncPlan } from "./plan.ts";
import type { TreeLayout } from "./tree-layout.ts";

const NAMED_MAX = 3;

/**
 * What a plan says of files whose keys the destination cannot hold: a run would fail each of them. They stay planned,
 * as they are here; and what another tool has stored under such a key stays what it is. Empty when there are none.
 */
export function unstorableWarnings(plan: SyncPlan, layout: TreeLayout, provider: Provider): string[] {
  const named: string[] = [];
  let count = 0;
  for (const { path } of plan.uploads) {
    const fault = provider.keyFault(layout.objectKey(path));
    if (fault === undefined) continue;
    count++;
    if (named.length < NAMED_MAX) named.push(`${path} (its key there ${fault})`);
  }
  if (count === 0) return [];
  return [
    `${count} file(s) cannot be stored at this destination: a run would send the others, end as partial and publish nothing. ` +
      `Give them another name, or exclude them: ${named.join(", ")}`,
  ];
}
