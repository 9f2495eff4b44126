/** An HTTP answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const NOTHING = new Uint8Array(0);

export function jsonAnswer(value: unknown, status = 200): Answer {
  const headers = { "content-type": "application/json; charset=UTF-8" };
  return { status, headers, body: new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`) };
}

export function emptyAnswer(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers, body: NOTHING };
}

/** What a balancer or a proxy on the way answers when it does not reach the API. */
export function htmlAnswer(status: number): Answer {
  const page = `<!DOCTYPE html><html lang=en><title>Error ${status}</title><p>That’s an error. Please try again in 30 seconds.</html>`;
  return { status, headers: { "content-type": "text/html; charset=UTF-8" }, body: new TextEncoder().encode(page) };
}
