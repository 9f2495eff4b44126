import type { HttpWords } from "../transfer/http.ts";

/** How errors name Google's servers. */
export const WORDS: HttpWords = { check: "the network", host: "Google's servers" };
