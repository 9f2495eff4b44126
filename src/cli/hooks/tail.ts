import { systemClock } from "../../core/clock.ts";
import { SyncError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import { type CommandLine, EXIT } from "../command-line.ts";
import { printable } from "../format.ts";
import { readEventStream, type StreamEvent } from "../remote/event-stream.ts";
import type { RunningServer } from "./running-server.ts";

const RETRY_MS_FIRST = 500;
const RETRY_MS_MAX = 10_000;

export interface TailOptions {
  /** Names of events; none stands for all. */
  readonly topics: readonly string[];
  /** Envelopes instead of lines for people. */
  readonly json: boolean;
}

/**
 * Prints events until Ctrl-C or until nobody reads the output. A lost connection is made anew where it ended.
 * @throws SyncError `server_unreachable` when the first connection fails, and what the server refuses
 */
export async function tailHooks(cli: CommandLine, server: RunningServer, options: TailOptions): Promise<number> {
  const tail = new Tail(cli, server, options);
  try {
    await tail.run();
    return EXIT.ok;
  } catch (error) {
    // How a tail ends: nothing to complain of.
    if (cli.signal.aborted) return EXIT.sigint;
    throw error;
  }
}

class Tail {
  #lastEventId: string | undefined;
  #retryMs = RETRY_MS_FIRST;
  #connected = false;
  #ended = false;

  constructor(
    private readonly cli: CommandLine,
    private readonly server: RunningServer,
    private readonly options: TailOptions,
  ) {}

  async run(): Promise<void> {
    while (!this.#ended) {
      try {
        await this.#follow();
      } catch (error) {
        if (this.cli.signal.aborted || !this.#connected || !isPassing(error)) throw error;
      }
      if (this.#ended) return;
      if (this.#retryMs === RETRY_MS_FIRST) this.cli.note("the connection was lost; trying again");
      await systemClock.sleep(this.#retryMs, this.cli.signal);
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
    }
  }

  /** One connection, until it ends. */
  async #follow(): Promise<void> {
    const { topics } = this.options;
    const query = topics.length === 0 ? "" : `?${new URLSearchParams({ topics: topics.join(",") }).toString()}`;
    const resume = this.#lastEventId === undefined ? {} : { "last-event-id": this.#lastEventId };
    const response = await this.server.get(`/api/modder/hooks/stream${query}`, resume);
    this.cli.note(this.#connected ? "connected again" : `listening to ${this.server.address}; Ctrl-C ends`);
    this.#connected = true;
    this.#retryMs = RETRY_MS_FIRST;
    if (response.body === null) return;
    for await (const event of readEventStream(response.body)) {
      this.#lastEventId = event.id ?? this.#lastEventId;
      await this.#show(event);
      if (this.#ended) return;
    }
  }

  async #show({ event, data }: StreamEvent): Promise<void> {
    if (data === undefined) return;
    if (event === "message") {
      const line = this.options.json ? data : eventLine(data);
      const isRead = await this.cli.platform.terminal.write(`${line}\n`);
      if (!isRead) this.#ended = true;
      return;
    }
    const told: unknown = JSON.parse(data);
    const reason = isJsonObject(told) && typeof told["reason"] === "string" ? told["reason"] : data;
    this.cli.note(
      `${event === "gap" ? "some events are missing" : "the server ended the stream"}: ${printable(reason)}`,
    );
  }
}

/** What may be better at the next try: a server that starts anew, a line that is down. */
function isPassing(error: unknown): boolean {
  return !(error instanceof SyncError) || error.retryable || error.code === "server_busy";
}

/** `2026-11-22T16:40:12Z on_cloud_sync_plan service=s3 snapshot=nightly uploads=12 …` */
function eventLine(data: string): string {
  const envelope: unknown = JSON.parse(data);
  if (!isJsonObject(envelope) || !isJsonObject(envelope["data"])) return printable(data);
  const { event, ts, data: payload } = envelope;
  const time = new Date(Number(ts) * 1000);
  const words = Object.entries(payload)
    .filter(([field]) => field !== "timestamp")
    .map(([field, value]) => `${field}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const shown = Number.isNaN(time.getTime()) ? String(ts) : `${time.toISOString().slice(0, 19)}Z`;
  return printable([shown, String(event), ...words].join(" "));
}
