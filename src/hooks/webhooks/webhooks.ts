import { SyncError, toSyncError } from "../../core/errors.ts";
import type { Database, TreeReader } from "../../platform/contract.ts";
import type { HookItem } from "../bus.ts";
import { requireHookName } from "../catalogue.ts";
import { allowedAddresses, parseWebhookUrl } from "./address-policy.ts";
import { addressesSoon } from "./deliver.ts";
import { DeliveryQueue, QUEUE_FILE } from "./delivery-queue.ts";
import { Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
import { checkWebhookSecret } from "./sign-webhook.ts";
import { type Subscription, SubscriptionFile } from "./subscription-file.ts";
import {
  type AttemptView,
  attemptView,
  type DeadLetterView,
  deadLetterView,
  type DeliveryView,
  deliveryView,
  type WebhookView,
  webhookViews,
} from "./views.ts";

/** Shorter secrets are words like any other: taking them out of every text would garble names of snapshots and paths. */
const LEARNT_CHARS_MIN = 12;

export interface WebhooksOptions extends Omit<DispatcherOptions, "queue" | "subscriptions"> {
  readonly tree: TreeReader;
  readonly openDatabase: (path: string) => Database;
  readonly secrets: {
    /** Keeps the values of secret fields out of everything that is shown from now on. */
    learn(payload: unknown): void;
    /** Makes a text fit to be shown. */
    redactText(text: string): string;
  };
}

/** Names a subscription: by what it is, or by the `id` it is listed under. */
export type WebhookName = { readonly event: string; readonly url: string } | { readonly id: string };

/** The webhooks of a workspace: who gets what, what is on its way, what could not be delivered. */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #file: SubscriptionFile;
  readonly #dispatcher: Dispatcher;
  #queue: DeliveryQueue | undefined;
  /** This process has queued something. */
  #queued = false;
  /** Why events are held at present. */
  #heldFor: string | undefined;

  constructor(options: WebhooksOptions) {
    this.#options = options;
    const { files, tree, root, clock, secrets } = options;
    const onRead = (subscriptions: readonly Subscription[]) =>
      secrets.learn(subscriptions.filter(({ secret = "" }) => secret.length >= LEARNT_CHARS_MIN));
    this.#file = new SubscriptionFile({ files, tree, root, now: () => clock.now(), onRead });
    this.#dispatcher = new Dispatcher({
      ...options,
      queue: () => this.#routedQueue(),
      subscriptions: () => this.#file.read(),
    });
  }

  /** Queues an event for everybody who subscribed to it: on the disk when this returns. Never throws; what it cannot queue it logs. */
  publish({ id, envelope: { event }, json }: HookItem): void {
    try {
      const queued = { message: id, event, body: json, queuedMs: this.#options.clock.now() };
      const subscriptions = this.#readOrHold(() => this.#openQueue(true)?.hold(queued));
      if (subscriptions === undefined) return;
      const urls = urlsOf(subscriptions, event);
      if (urls.length === 0) return;
      const queue = this.#openQueue(true);
      queue?.release((each) => urlsOf(subscriptions, each));
      queue?.add(urls.map((url) => ({ ...queued, url })));
      this.#queued = true;
      this.#dispatcher.wake();
    } catch (error) {
      this.#options.log.write("error", "webhook.lost", {
        hook: event,
        webhook_id: id,
        error: toSyncError(error).message,
      });
    }
  }

  /** @throws SyncError `webhooks_malformed` */
  list(): WebhookView[] {
    return webhookViews(this.#file.read(), this.#openQueue(false), (url) => this.#shown(url));
  }

  /**
   * Subscribes an address to an event; of one that is subscribed already, the secret is replaced.
   * @throws SyncError `schema` (no such event), `webhook_url`, `webhook_refused`, `webhook_secret`, `webhooks_malformed`
   */
  async register(request: {
    readonly event: string;
    readonly url: string;
    readonly secret?: string | undefined;
  }): Promise<WebhookView> {
    const event = requireHookName(request.event);
    const address = request.url.trim();
    const url = parseWebhookUrl(address);
    const secret = request.secret === "" ? undefined : request.secret;
    if (secret !== undefined) checkWebhookSecret(secret);
    const { settings, outbound, log } = this.#options;
    const { allowPrivateTargets: allowPrivate } = await settings();
    await allowedAddresses(url, { allowPrivate, resolve: (host) => addressesSoon(outbound, host) });
    await this.#file.put({ event, url: address, secret });
    log.write("info", "webhook.registered", { hook: event, target: url.origin, signed: secret !== undefined });
    const at = this.#file.read().findIndex((each) => each.event === event && each.url === address);
    const view = this.list()[at];
    if (view === undefined) throw new SyncError("internal", "the webhook was removed while it was registered");
    return view;
  }

  /** Ends subscriptions and drops what waits for them; how many those were. @throws SyncError `webhooks_malformed` */
  async remove(name: WebhookName): Promise<number> {
    const wanted = this.#named(name);
    const isWanted = ({ event, url }: Subscription) => wanted.some((each) => each.event === event && each.url === url);
    const removed = wanted.length === 0 ? 0 : await this.#file.remove(isWanted);
    for (const { event, url } of wanted) {
      this.#openQueue(false)?.forget(event, url);
      this.#options.log.write("info", "webhook.removed", { hook: event });
    }
    return removed;
  }

  /** What waits to be sent, in order. */
  pending(limit: number): DeliveryView[] {
    const items = this.#openQueue(false)?.pending(limit) ?? [];
    return items.map((item) => deliveryView(item, this.#shownUrls()));
  }

  /** What was given up, the latest first. */
  deadLetters(limit: number): DeadLetterView[] {
    const items = this.#openQueue(false)?.deadLetters(limit) ?? [];
    return items.map((item) => deadLetterView(item, this.#shownUrls()));
  }

  /** What was tried, the latest first. */
  attempts(limit: number): AttemptView[] {
    const items = this.#openQueue(false)?.attempts(limit) ?? [];
    return items.map((item) => attemptView(item, this.#shownUrls()));
  }

  /**
   * Queues dead letters again, all without `ids`; how many. Without `ids` also ends the rest of every address.
   * @throws SyncError `webhook_missing` when `ids` names none
   */
  redeliver(ids?: readonly number[]): number {
    const count = this.#openQueue(false)?.redeliver(ids, this.#options.clock.now()) ?? 0;
    if (ids !== undefined && count === 0) {
      throw new SyncError("webhook_missing", "there is no dead letter of that id; list them first");
    }
    this.#queued ||= this.#queue !== undefined;
    this.#dispatcher.wake();
    return count;
  }

  /** Sends from now on, in whichever process of the workspace came first. */
  start(): void {
    this.#dispatcher.start();
  }

  /** Waits up to `graceMs` for what is being sent. What is queued stays queued. */
  async stop(graceMs: number): Promise<void> {
    await this.#dispatcher.stop(graceMs);
  }

  /**
   * For a process that ends soon and has queued something: sends what is due, for at most `maxMs`, unless another process
   * does it.
   */
  async drain(maxMs: number): Promise<void> {
    if (this.#queued) await this.#dispatcher.drain(maxMs);
  }

  close(): void {
    this.#queue?.close();
    this.#queue = undefined;
  }

  #named(name: WebhookName): readonly Subscription[] {
    const subscriptions = this.#file.read();
    if ("url" in name) {
      const url = name.url.trim();
      return subscriptions.filter((each) => each.event === name.event && each.url === url);
    }
    const at = webhookViews(subscriptions, undefined, (url) => this.#shown(url)).findIndex(({ id }) => id === name.id);
    const found = subscriptions[at];
    return found === undefined ? [] : [found];
  }

  /** The queue, with what was held for want of a readable file on its way. */
  #routedQueue(): DeliveryQueue | undefined {
    const queue = this.#openQueue(false);
    if (queue?.holds === true) {
      const subscriptions = this.#file.read();
      queue.release((event) => urlsOf(subscriptions, event));
    }
    return queue;
  }

  /** Opens the queue when there is one, or `create`. */
  #openQueue(create: boolean): DeliveryQueue | undefined {
    if (this.#queue !== undefined) return this.#queue;
    const { files, tree, root, openDatabase } = this.#options;
    const path = files.join(root, ...QUEUE_FILE.split("/"));
    const there = tree.lstat(path);
    if (there === undefined && !create) return undefined;
    // A symlink would have us write where it leads.
    if (there !== undefined && there.kind !== "file") {
      throw new SyncError("file_unreadable", `${QUEUE_FILE} is no regular file; move it away`);
    }
    try {
      this.#queue = new DeliveryQueue(openDatabase(path));
    } catch (error) {
      const { code, message } = toSyncError(error);
      if (code !== "file_unreadable") throw error;
      throw new SyncError(code, `${QUEUE_FILE}: ${message}. Events that wait in it are lost when you move it away`, {
        cause: error,
      });
    }
    return this.#queue;
  }

  /** The subscriptions; `hold` and undefined while the file cannot be understood, e.g. because the studio is writing it. */
  #readOrHold(hold: () => void): readonly Subscription[] | undefined {
    try {
      const subscriptions = this.#file.read();
      this.#heldFor = undefined;
      return subscriptions;
    } catch (error) {
      hold();
      this.#tellHeld(toSyncError(error).message);
      return undefined;
    }
  }

  /** Once, not for each event of a run. */
  #tellHeld(error: string): void {
    if (this.#heldFor === error) return;
    this.#heldFor = error;
    this.#options.log.write("warning", "webhook.held", { error });
  }

  #shown(url: string): string {
    return this.#options.secrets.redactText(url);
  }

  /** Where each target of the queue is, as it may be shown. */
  #shownUrls(): ReadonlyMap<string, string> {
    const queue = this.#openQueue(false);
    if (queue === undefined) return new Map();
    return new Map(this.#file.read().map(({ url }) => [queue.targetOf(url), this.#shown(url)]));
  }
}

/** Each address once, in the order of the file. */
function urlsOf(subscriptions: readonly Subscription[], event: string): string[] {
  return [...new Set(subscriptions.filter((each) => each.event === event).map(({ url }) => url))];
}
