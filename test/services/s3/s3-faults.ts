import type { S3Received, S3Reply } from "./s3-wire.ts";

/** What goes wrong with one request. `applied`: the operation is carried out all the same. */
export type S3Fault =
  | { readonly kind: "answer"; readonly reply: S3Reply; readonly applied?: boolean }
  /** The connection ends without an answer. */
  | { readonly kind: "reset"; readonly applied?: boolean }
  /** Nothing ever comes. */
  | { readonly kind: "hang" }
  /** The head of the answer and half of its body come, then nothing more; `reset` also ends the connection. */
  | { readonly kind: "half"; readonly reset: boolean }
  /** A bit of the received content is another one before anything looks at it. */
  | { readonly kind: "damage" }
  /** Something happens in the store before the operation. */
  | { readonly kind: "before"; readonly run: () => void }
  /** Something happens in the store after the operation, before the answer. */
  | { readonly kind: "after"; readonly run: () => void };

export interface ScriptedFault {
  /** How often it has happened. */
  readonly fired: number;
  remove(): void;
}

interface Rule {
  readonly operation: string;
  readonly fault: S3Fault;
  readonly key: string | undefined;
  left: number;
  skip: number;
  fired: number;
}

/** Faults that wait for their request, each by operation and count: never by time or chance. */
export class S3Faults {
  readonly #rules: Rule[] = [];

  /**
   * `fault` for the requests of `operation` ("*" for all): the `nth` one (from 1, default 1) and `times` in all
   * (default 1), only those of `key` when given.
   */
  add(
    operation: string,
    fault: S3Fault,
    options: { readonly nth?: number; readonly times?: number; readonly key?: string } = {},
  ): ScriptedFault {
    const rule: Rule = {
      operation,
      fault,
      key: options.key,
      left: options.times ?? 1,
      skip: (options.nth ?? 1) - 1,
      fired: 0,
    };
    this.#rules.push(rule);
    return {
      get fired() {
        return rule.fired;
      },
      remove: () => {
        rule.left = 0;
      },
    };
  }

  /** The fault that `request` meets. */
  take(request: S3Received): S3Fault | undefined {
    for (const rule of this.#rules) {
      if (rule.left === 0 || (rule.operation !== "*" && rule.operation !== request.operation)) continue;
      if (rule.key !== undefined && rule.key !== request.key) continue;
      if (rule.skip > 0) {
        rule.skip--;
        continue;
      }
      rule.left--;
      rule.fired++;
      return rule.fault;
    }
    return undefined;
  }
}
