import { getDocs, getOpenApi } from "../../api/health-operations.ts";
import type { NewHasher } from "../../core/hash.ts";
import { describingAnswers } from "../openapi/answers.ts";
import type { Router } from "../router.ts";

/** `GET /openapi.json` and `GET /docs`, of all that `router` has when they are first asked for. */
export function addDocsRoutes(router: Router, newHasher: NewHasher): void {
  const { openApi, docs } = describingAnswers(() => router.operations, newHasher);
  router.on(getOpenApi, openApi).on(getDocs, docs);
}
