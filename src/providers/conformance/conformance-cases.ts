import { abortingCases } from "./cases/aborting.ts";
import { conditionCases } from "./cases/conditions.ts";
import { concurrencyCases } from "./cases/concurrency.ts";
import { copyingCases } from "./cases/copying.ts";
import { deletingCases } from "./cases/deleting.ts";
import { errorCases } from "./cases/errors.ts";
import { integrityCases } from "./cases/integrity.ts";
import { keyCases } from "./cases/keys.ts";
import { listingCases } from "./cases/listing.ts";
import { missingCases } from "./cases/missing.ts";
import { movingCases } from "./cases/moving.ts";
import { rangeCases } from "./cases/ranges.ts";
import { resumingCases } from "./cases/resuming.ts";
import { visibilityCases } from "./cases/visibility.ts";
import type { ConformanceCase } from "./conformance-case.ts";

/** All that a provider is held to, in the order of the promises in contract.ts where it can be. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...integrityCases,
  ...rangeCases,
  ...visibilityCases,
  ...missingCases,
  ...listingCases,
  ...deletingCases,
  ...conditionCases,
  ...copyingCases,
  ...movingCases,
  ...keyCases,
  ...errorCases,
  ...abortingCases,
  ...resumingCases,
  ...concurrencyCases,
];
