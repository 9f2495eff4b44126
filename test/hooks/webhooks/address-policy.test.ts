import { describe, expect, test } from "bun:test";
import { allowedAddresses, parseWebhookUrl } from "../../../src/hooks/webhooks/address-policy.ts";
import { SyncError } from "../../../src/core/errors.ts";

/** What a resolver of the system answers when a name hides an address. */
const resolve = async (host: string): Promise<readonly string[]> => NAMES[host] ?? [];
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
  "loopback.example": ["127.0.0.1"],
  "mixed.example": ["93.184.215.14", "10.0.0.1"],
  "mapped.example": ["::ffff:10.0.0.1"],
  "metadata.google.internal": ["169.254.169.254"],
  "zone.example": ["fe80::1%eth0"],
  "odd.example": ["127.1"],
  "nonsense.example": ["not an address"],
};

async function verdict(text: string, allowPrivate = false): Promise<string> {
  try {
    const addresses = await allowedAddresses(parseWebhookUrl(text), { allowPrivate, resolve });
    return addresses.length === 0 ? "unresolved" : "allowed";
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
}

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  "loopback in every spelling": [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "%6c%6f%63alhost",
    "loopback.example",
    "odd.example",
  ],
  "private networks": [
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "0xa000001",
    "mixed.example",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fec0::1]",
  ],
  "link-local": ["169.254.0.1", "[fe80::1]", "[febf::1]", "zone.example"],
  "what clouds tell their machines": [
    "169.254.169.254",
    "169.254.170.2",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "metadata.google.internal",
  ],
  "IPv4 inside IPv6": [
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::10.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:53aa:64c:0:fbff:80ff:fffe]",
    "[2606:4700::5efe:7f00:1]",
    "[2606:4700::200:5efe:a00:1]",
    "mapped.example",
    "[::ffff:93.184.215.14]",
  ],
  "what is no unicast, and what nobody routes": [
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "198.18.0.1",
    "192.88.99.1",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[5f00::1]",
    "[4000::1]",
    "nonsense.example",
  ],
};

for (const [kind, hosts] of Object.entries(REFUSED)) {
  describe(`security 21: ${kind}`, () => {
    for (const host of hosts) {
      for (const scheme of ["http", "https"]) {
        test(`${scheme}://${host} is refused, and allowed only by the setting`, async () => {
          const url = `${scheme}://${host}:8080/hook`;
          expect(await verdict(url)).toBe("webhook_refused");
          // "unresolved": names that this table does not know.
          expect(await verdict(url, true)).toMatch(/^(allowed|unresolved)$/);
        });
      }
    }
  });
}

test("public addresses are allowed, by number and by name", async () => {
  for (const host of ["93.184.215.14", "1.1.1.1", "172.32.0.1", "[2606:4700::1111]", "public.example"]) {
    expect({ host, verdict: await verdict(`https://${host}/`) }).toEqual({ host, verdict: "allowed" });
  }
});

test("security 21: anything but http and https is no webhook, whatever the setting says", async () => {
  const urls = [
    "file:///etc/passwd",
    "s3://bucket/key",
    "data:text/plain,x",
    "ftp://public.example/",
    "gopher://public.example/",
    "javascript:alert(1)",
    "blob:https://public.example/x",
    "ws://public.example/",
    "//public.example/",
    "public.example/hook",
    "http://",
    "http:///",
    "https://:443/",
    "",
    "not a url",
    "http://[::1",
    `https://public.example/${"x".repeat(2048)}`,
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
  ];
  for (const url of urls) {
    expect({ url, verdict: await verdict(url) }).toEqual({ url, verdict: "webhook_url" });
    expect({ url, verdict: await verdict(url, true) }).toEqual({ url, verdict: "webhook_url" });
  }
});

test("a user or password in the address is refused, and the error does not repeat it", async () => {
  for (const url of [
    "https://canary@public.example/",
    "https://user:canary@public.example/",
    "https://:canary@public.example/",
  ]) {
    let thrown: unknown;
    try {
      parseWebhookUrl(url);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: "webhook_url" });
    expect(String(thrown)).not.toContain("canary");
  }
});
