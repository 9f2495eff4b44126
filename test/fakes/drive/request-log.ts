import type { RouteName } from "./route-name.ts";

/** One request as the fake saw it. */
export interface LoggedRequest {
  readonly nth: number;
  readonly route: RouteName | "unknown";
  readonly method: string;
  /** With the query. */
  readonly target: string;
  /** Undefined while it is under way, or when it never got an answer. */
  status?: number;
  /** Bytes of its body that have arrived. */
  bodyBytesIn: number;
  /** Bytes of file content that have arrived with it, and that were sent back. */
  contentBytesIn: number;
  contentBytesOut: number;
  /** Of an upload session: which, and where this chunk begins. */
  uploadId?: string;
  offset?: number;
  /** Content bytes of the chunk that the session had been sent before. */
  contentBytesAgain: number;
  /** The scripted fault it met. */
  fault?: string;
}

/** Every request, and counts that tests bound. */
export class RequestLog {
  readonly requests: LoggedRequest[] = [];

  begin(route: LoggedRequest["route"], method: string, target: string): LoggedRequest {
    const entry: LoggedRequest = {
      nth: this.requests.length + 1,
      route,
      method,
      target,
      bodyBytesIn: 0,
      contentBytesIn: 0,
      contentBytesOut: 0,
      contentBytesAgain: 0,
    };
    this.requests.push(entry);
    return entry;
  }

  /** How many of one kind, or of each that begins like `files.create`. */
  count(route: string): number {
    return this.requests.filter((each) => each.route === route || each.route.startsWith(`${route}.`)).length;
  }

  /** Requests to the API: everything but tokens. */
  get calls(): number {
    return this.requests.filter(({ route }) => route !== "token").length;
  }

  get lists(): number {
    return this.count("files.list");
  }

  /** Requests to the API that change something, chunks of uploads included. */
  get writes(): number {
    return this.requests.filter(({ route, method }) => route !== "token" && method !== "GET").length;
  }

  get contentBytesIn(): number {
    return this.requests.reduce((sum, each) => sum + each.contentBytesIn, 0);
  }

  get contentBytesAgain(): number {
    return this.requests.reduce((sum, each) => sum + each.contentBytesAgain, 0);
  }

  /** Calls by route, for a report. */
  summary(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { route } of this.requests) counts[route] = (counts[route] ?? 0) + 1;
    return counts;
  }

  clear(): void {
    this.requests.length = 0;
  }
}
