import { bunGlances } from "./bun-glances.ts";
import { bunLink } from "./bun-link.ts";

/** What Bun has and platform/node cannot ask for, in the first thread and in the others. */
export const bunOwn = { link: bunLink(), glances: bunGlances(), reclaimMemory: () => Bun.gc(true) };
